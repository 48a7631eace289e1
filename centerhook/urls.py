from django.conf import settings
from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/", admin.site.urls),
    path("api/", include("centerhook.api")),
    path("data/", include("feedback.api.package_urls")),
    path("sources/", include("feedback.api.source_urls")),
    path("lookups/", include("feedback.api.lookup_urls")),
]
if settings.SINGLE_SIGN_ON:
    urlpatterns += [
        path("single-sign-on/", include("centerhook.sign_in.single_sign_on"))
    ]
handler400 = "centerhook.errors.bad_request"
handler500 = "centerhook.errors.server_error"
