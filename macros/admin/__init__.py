from . import macros, schedules, secrets, triggers

__all__ = ["macros", "schedules", "secrets", "triggers"]
