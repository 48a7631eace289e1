from .macros import Macro, Step
from .web_requests import BodyKind, Method, WebRequest

__all__ = ["BodyKind", "Macro", "Method", "Step", "WebRequest"]
