from . import macros, secrets, triggers

__all__ = ["macros", "secrets", "triggers"]
