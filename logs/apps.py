from django.apps import AppConfig


class LogsConfig(AppConfig):
    name = "logs"
    verbose_name = "Webhook log"

    def ready(self) -> None:
        from . import following  # noqa: F401 - its receivers register themselves
