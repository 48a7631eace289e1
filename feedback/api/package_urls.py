from django.urls import include, path

from .package_reading import RowsView, SchemaView

urlpatterns = [
    path(
        "<row:community>/<slug:key>/odata/",
        include("feedback.api.odata_urls"),
    ),
    path(
        "<row:community>/<slug:key>/schema/",
        SchemaView.as_view(),
        name="package-schema",
    ),
    path(
        "<row:community>/<slug:key>.<slug:form>",
        RowsView.as_view(),
        name="package-rows",
    ),
]
