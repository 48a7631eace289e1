from django.urls import path, re_path

from .odata import EntitiesView, MetadataView, ServiceView

# No slash at its end: OData's addresses are made of these by appending.
urlpatterns = [
    path("", ServiceView.as_view(), name="package-odata"),
    re_path(r"^\$metadata$", MetadataView.as_view(), name="package-odata-metadata"),
    path("<path:path>", EntitiesView.as_view(), name="package-odata-entities"),
]
