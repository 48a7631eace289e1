from . import macros, secrets

__all__ = ["macros", "secrets"]
