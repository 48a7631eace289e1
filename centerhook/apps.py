from django.apps import AppConfig
from django.contrib.admin import apps
from django.contrib.admin.templatetags import admin_list


class CenterHookConfig(AppConfig):
    name = "centerhook"

    def ready(self) -> None:
        from feedback.console.parts import yes_or_no

        from . import checks  # noqa: F401 - they register themselves

        # A red cross beside "Paused" reads as a fault. Lists, inlines and read-only
        # pages all ask this one function, and Django has no setting for it.
        admin_list._boolean_icon = yes_or_no  # type: ignore[attr-defined]


class CenterHookAdminConfig(apps.AdminConfig):
    default = False
    default_site = "centerhook.site.CenterHookAdminSite"
