import gc
import os
from importlib import import_module

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from .charsets import within_charsets

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "centerhook.settings")

application = within_charsets(get_wsgi_application())
# All pages and the API, for which somebody's first request would wait.
import_module(settings.ROOT_URLCONF)
# What was loaded stays: a full collection would look at all of it, for tens of
# milliseconds in the middle of somebody's request.
gc.collect()
gc.freeze()
