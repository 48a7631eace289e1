from django.apps import AppConfig
from django.db.backends.signals import connection_created
from django.db.models.signals import pre_save

from .late import LateModule

saved = LateModule("feedback.selection.saved")
tables = LateModule("feedback.packages.tables")
lookups = LateModule("feedback.lookups.columns")


class FeedbackConfig(AppConfig):
    name = "feedback"
    verbose_name = "Records"

    def ready(self) -> None:
        from . import converters
        from .console import typed
        from .models import DataPackage, Filter, RecordLookup
        from .selection import folding, planner

        Filter.check_conditions = lambda row: saved.check(row)
        DataPackage.check_columns = lambda row: tables.check(row)
        RecordLookup.check_names = lambda row: lookups.check(row)
        converters.register()
        folding.replace_lookups()
        connection_created.connect(folding.add_function, dispatch_uid="folding")
        connection_created.connect(planner.set_up, dispatch_uid="planner")
        typed.replace_comparison()
        pre_save.connect(typed.end_lines_alike, dispatch_uid="line ends")
