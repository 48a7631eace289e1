from django.urls import path

from .lookups import RecordView

urlpatterns = [path("<str:key>/", RecordView.as_view(), name="lookup")]
