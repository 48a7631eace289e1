from contextlib import suppress

from django.apps import AppConfig


class CenterHookConfig(AppConfig):
    name = "centerhook"

    def ready(self) -> None:
        from . import checks  # noqa: F401 - they register themselves
<<<<<<< HEAD
=======

        # A red cross beside "Paused" reads as a fault. Lists, inlines and read-only
        # pages all ask this one function, and Django has no setting for it.
        admin_list._boolean_icon = yes_or_no  # type: ignore[attr-defined]
        if settings.SENTRY_DSN:
            from . import sentry

            # A check says why not.
            with suppress(sentry.Unusable):
                sentry.start(settings.SENTRY_DSN)


class CenterHookAdminConfig(apps.SimpleAdminConfig):
    default = False
    default_site = "centerhook.site.CenterHookAdminSite"

    def ready(self) -> None:
        """Loads all pages, but not in a process that serves none."""
        super().ready()
        if not settings.IS_WORKER:
            autodiscover()
>>>>>>> main
