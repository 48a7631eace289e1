from django.urls import path

from .package_reading import RowsView, SchemaView

urlpatterns = [
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
