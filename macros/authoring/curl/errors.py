from __future__ import annotations


class CurlError(ValueError):
    """A command that can't be taken over; the message is a sentence with no value."""
