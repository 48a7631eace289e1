"""A local HTTP receiver for the demo, the tests and the benchmarks."""

from .memory import Memory, Received
from .server import Receiver

__all__ = ["Memory", "Received", "Receiver"]
