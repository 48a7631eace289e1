from . import macros

__all__ = ["macros"]
