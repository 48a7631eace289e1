from django.apps import AppConfig
from django.db.backends.signals import connection_created


class FeedbackConfig(AppConfig):
    name = "feedback"
    verbose_name = "Records"

    def ready(self) -> None:
        from .models import Filter
        from .selection import folding, planner, saved

        Filter.check_conditions = saved.check
        folding.replace_lookups()
        connection_created.connect(folding.add_function, dispatch_uid="folding")
        connection_created.connect(planner.set_up, dispatch_uid="planner")
