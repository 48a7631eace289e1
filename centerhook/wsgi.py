import gc
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "centerhook.settings")

application = get_wsgi_application()
# What was loaded stays: a full collection would look at all of it, for tens of
# milliseconds in the middle of somebody's request.
gc.freeze()
