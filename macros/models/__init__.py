from .credentials import AuthKind
from .macros import Macro, Step
from .secrets import Secret, Vault
from .web_requests import BodyKind, Method, WebRequest

__all__ = [
    "AuthKind",
    "BodyKind",
    "Macro",
    "Method",
    "Secret",
    "Step",
    "Vault",
    "WebRequest",
]
