"""A local HTTP receiver for the demo, the tests and the benchmarks."""

from .calling_back import CallBack
from .memory import Memory, Received
from .server import Receiver

__all__ = ["CallBack", "Memory", "Received", "Receiver"]
