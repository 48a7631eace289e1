"""Macros and feedback types as plain data: one form for versions, files and clones."""

from .applying import change_macro, fill_macro
from .automations import take_settings
from .cloning import clone_macro, clone_project
from .concealing import concealed
from .differences import Difference, changed, differences
from .events import take_details
from .exporting import export_macro, export_project
from .files import MAX_BYTES, read, write
from .imported import Existing, Imported
from .importing import SecretsMissing, import_document
from .listeners import save_listener
from .macros import save_macro
from .problems import ConfigRefused, Problems
from .restoring import restore
from .secrets import check_value, save_secret
from .versions import current_number, locked_macro, newest_number, note_version
from .writing import Document, macro_document

__all__ = [
    "MAX_BYTES",
    "Difference",
    "Document",
    "ConfigRefused",
    "Existing",
    "Imported",
    "Problems",
    "SecretsMissing",
    "change_macro",
    "changed",
    "check_value",
    "clone_macro",
    "clone_project",
    "concealed",
    "current_number",
    "differences",
    "export_macro",
    "export_project",
    "fill_macro",
    "import_document",
    "locked_macro",
    "macro_document",
    "newest_number",
    "note_version",
    "read",
    "restore",
    "save_listener",
    "save_macro",
    "save_secret",
    "take_details",
    "take_settings",
    "write",
]
