from .credentials import AuthKind
from .macros import Macro
from .secrets import Secret, Vault
from .steps import Step, step_kinds
from .versions import MacroVersion
from .web_requests import BodyKind, Method, WebRequest

__all__ = [
    "AuthKind",
    "BodyKind",
    "Macro",
    "MacroVersion",
    "Method",
    "Secret",
    "Step",
    "Vault",
    "WebRequest",
    "step_kinds",
]
