from django.apps import AppConfig


class LogsConfig(AppConfig):
    name = "logs"
    verbose_name = "Webhook log"

    def ready(self) -> None:
        # They register themselves.
        from . import packages  # noqa: F401
        from .audit import receivers  # noqa: F401
