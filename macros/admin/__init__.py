from . import calls, listeners, macros, schedules, secrets, triggers

__all__ = ["calls", "listeners", "macros", "schedules", "secrets", "triggers"]
