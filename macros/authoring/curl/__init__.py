"""curl commands: read as people paste them, and written for people to run."""

from .command import ParsedCurl
from .errors import CurlError
from .parsing import MAX_LENGTH, parse
from .writing import write

__all__ = ["MAX_LENGTH", "CurlError", "ParsedCurl", "parse", "write"]
