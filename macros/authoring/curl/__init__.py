"""curl commands: read as people paste them, and written for people to run."""

from .command import ParsedCurl
from .errors import CurlError
from .parsing import LONGEST, parse
from .writing import write

__all__ = ["LONGEST", "CurlError", "ParsedCurl", "parse", "write"]
