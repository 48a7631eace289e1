from django.apps import AppConfig
from django.conf import settings
from django.contrib.admin import apps


class CenterHookConfig(AppConfig):
    name = "centerhook"

    def ready(self) -> None:
        from . import checks  # noqa: F401 - they register themselves


class CenterHookAdminConfig(apps.SimpleAdminConfig):
    default = False
    default_site = "centerhook.site.CenterHookAdminSite"

    def ready(self) -> None:
        """Loads all pages, but not in a process that serves none."""
        super().ready()
        if not settings.IS_WORKER:
            self.module.autodiscover()
