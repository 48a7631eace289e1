from django.apps import AppConfig
from django.contrib.admin import apps


class CenterHookConfig(AppConfig):
    name = "centerhook"

    def ready(self) -> None:
        from . import checks  # noqa: F401 - they register themselves


class CenterHookAdminConfig(apps.AdminConfig):
    default = False
    default_site = "centerhook.site.CenterHookAdminSite"
