from importlib import import_module

from django.apps import AppConfig


class MacrosConfig(AppConfig):
    name = "macros"
    verbose_name = "Macros"

    def import_models(self) -> None:
        """The kinds of steps are models that live with what they do."""
        super().import_models()
        import_module("macros.steps.kinds")

    def ready(self) -> None:
        """What hears of changes."""
        import_module("macros.triggers.receivers")
