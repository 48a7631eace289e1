"""New macros from what is known already: a preset's requests, a pasted command."""

from .creating import MacroRefused, NewMacro, NewSecret, create_macro
from .pasted import Credential, Draft, draft

__all__ = [
    "Credential",
    "Draft",
    "NewSecret",
    "MacroRefused",
    "NewMacro",
    "create_macro",
    "draft",
]
