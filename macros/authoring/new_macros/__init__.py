"""New macros from what is known already: a preset's requests, a pasted command."""

from .creating import MacroRefused, NewSecret, Start, create_macro
from .pasted import Credential, Draft, draft

__all__ = [
    "Credential",
    "Draft",
    "NewSecret",
    "MacroRefused",
    "Start",
    "create_macro",
    "draft",
]
