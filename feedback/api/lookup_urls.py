from django.urls import re_path

from .lookup_reading import RecordView

# A number that every database can look up.
_PATH = r"^(?P<community>[0-9]{1,18})/(?P<key>[a-z0-9-]{1,60})/$"
urlpatterns = [re_path(_PATH, RecordView.as_view(), name="lookup")]
