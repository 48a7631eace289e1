from django.apps import AppConfig
from django.db.backends.signals import connection_created
from django.db.models.signals import pre_save


class FeedbackConfig(AppConfig):
    name = "feedback"
    verbose_name = "Records"

    def ready(self) -> None:
        from .console import typed
        from .lookups import columns
        from .models import DataPackage, Filter, RecordLookup
        from .packages import tables
        from .selection import folding, planner, saved

        Filter.check_conditions = saved.check
        DataPackage.check_columns = tables.check
        RecordLookup.check_names = columns.check
        folding.replace_lookups()
        connection_created.connect(folding.add_function, dispatch_uid="folding")
        connection_created.connect(planner.set_up, dispatch_uid="planner")
        typed.replace_comparison()
        pre_save.connect(typed.end_lines_alike, dispatch_uid="line ends")
