"""New macros from what is known already: a preset's requests, a pasted command."""

from .asking import AskedSecret, GivenSecret, asked_by, new_secrets
from .creating import MacroRefused, NewMacro, NewSecret, create_macro
from .pasted import Credential, Draft, draft

__all__ = [
    "AskedSecret",
    "GivenSecret",
    "asked_by",
    "new_secrets",
    "Credential",
    "Draft",
    "NewSecret",
    "MacroRefused",
    "NewMacro",
    "create_macro",
    "draft",
]
