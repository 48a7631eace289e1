from .changes import AddComment, AddScore, ChangeStatus, SetField, SetVisibility
from .credentials import AuthKind
from .emails import SendEmail
from .macros import Macro
from .secrets import Secret, Vault
from .steps import Step, kind_accessors, step_kinds
from .versions import MacroVersion
from .web_requests import BodyKind, Method, WebRequest

__all__ = [
    "AddComment",
    "AddScore",
    "AuthKind",
    "BodyKind",
    "ChangeStatus",
    "Macro",
    "MacroVersion",
    "Method",
    "Secret",
    "SendEmail",
    "SetField",
    "SetVisibility",
    "Step",
    "Vault",
    "WebRequest",
    "kind_accessors",
    "step_kinds",
]
