from __future__ import annotations


class FileUnreadable(Exception):
    """Why a file can't be read, as a sentence for whoever sent it."""
