"""What is wrong with this installation, and what to do: `manage.py doctor`."""

from .examining import Report, examine
from .findings import Finding, Severity

__all__ = ["Finding", "Report", "Severity", "examine"]
