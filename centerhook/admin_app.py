from django.contrib.admin import apps, autodiscover
from django.contrib.admin.templatetags import admin_list


class CenterHookAdminConfig(apps.SimpleAdminConfig):
    """Loads all pages; a worker is made without it."""

    default = False
    default_site = "centerhook.site.CenterHookAdminSite"

    def ready(self) -> None:
        from feedback.console.parts import yes_or_no

        super().ready()
        autodiscover()
        # A red cross beside "Paused" reads as a fault. Lists, inlines and read-only
        # pages all ask this one function, and Django has no setting for it.
        admin_list._boolean_icon = yes_or_no  # type: ignore[attr-defined]
