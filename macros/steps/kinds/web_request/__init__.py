from .bodies import BODY_CONTEXTS, BodyKind, Method
from .compiled import CompiledWebRequest
from .model import MAX_SECRETS, WebRequest
from .return_values import ReturnValuesField

__all__ = [
    "BODY_CONTEXTS",
    "MAX_SECRETS",
    "BodyKind",
    "CompiledWebRequest",
    "Method",
    "ReturnValuesField",
    "WebRequest",
]
