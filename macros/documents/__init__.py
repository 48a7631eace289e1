"""Macros and feedback types as plain data: one form for versions, files and clones."""

from .applying import fill_macro, make_type
from .differences import Difference, differences
from .members import read_members, read_rows
from .problems import DocumentRefused, Problems, member
from .versions import current_number, newest_number, note_version, restore
from .writing import Document, macro_document, type_document

__all__ = [
    "Difference",
    "Document",
    "DocumentRefused",
    "Problems",
    "current_number",
    "differences",
    "fill_macro",
    "macro_document",
    "make_type",
    "member",
    "newest_number",
    "note_version",
    "read_members",
    "read_rows",
    "restore",
    "type_document",
]
