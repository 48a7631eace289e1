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
        """What hears of changes, and what knows whether a listener can work."""
        import_module("macros.triggers.receivers")
        listeners = import_module("macros.config.listeners")
        checking = import_module("macros.listeners.checking")
        listeners.check_with(checking.problems_of)
