from django.apps import AppConfig


class LogsConfig(AppConfig):
    name = "logs"
    verbose_name = "Webhook log"

    def ready(self) -> None:
        from .audit import receivers  # noqa: F401 - its receivers register themselves
