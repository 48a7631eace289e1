from contextlib import suppress

from django.apps import AppConfig
from django.conf import settings


class CenterHookConfig(AppConfig):
    name = "centerhook"

    def ready(self) -> None:
        from . import checks  # noqa: F401 - they register themselves

        if settings.SENTRY_DSN:
            from . import sentry

            # A check says why not.
            with suppress(sentry.Unusable):
                sentry.start(settings.SENTRY_DSN)
