from django.urls import path

from .sources import SourceView

urlpatterns = [path("<str:key>/", SourceView.as_view(), name="source")]
