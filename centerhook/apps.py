from django.apps import AppConfig


class CenterHookConfig(AppConfig):
    name = "centerhook"

    def ready(self) -> None:
        from . import checks  # noqa: F401 - they register themselves
