from importlib import import_module

from django.apps import AppConfig

from feedback.late import LateModule

checking = LateModule("macros.listeners.checking")


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
        Listener = import_module("macros.models").Listener
        Listener.find_problems = lambda *parts: checking.problems_of(*parts)
