from .bodies import BODY_CONTEXTS, BodyKind, Method
from .compiled import CompiledWebRequest
from .model import WebRequest
from .return_values import ReturnValuesField

__all__ = [
    "BODY_CONTEXTS",
    "BodyKind",
    "CompiledWebRequest",
    "Method",
    "ReturnValuesField",
    "WebRequest",
]
