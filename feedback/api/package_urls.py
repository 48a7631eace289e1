from django.urls import include, path

from .package_reading import RowsView, SchemaView

urlpatterns = [
    path(
        "<int:community>/<slug:key>/odata/",
        include("feedback.api.odata_urls"),
    ),
    path(
        "<int:community>/<slug:key>/schema/",
        SchemaView.as_view(),
        name="package-schema",
    ),
    path(
        "<int:community>/<slug:key>.<slug:form>",
        RowsView.as_view(),
        name="package-rows",
    ),
]
