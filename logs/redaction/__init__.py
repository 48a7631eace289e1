"""What must not be read in a log, masked before a row is written."""

from .finding import MASK, MIN_REDACTED, Echoes
from .forms import echoes, written_forms
from .masks import (
    HIDDEN,
    credentials_in,
    header_lines,
    is_credential,
    mask_header,
    mask_url,
    origin_in,
    replace_parameters,
)
from .typed import (
    SECRET_TAG,
    WEBHOOK_URL,
    is_credential_in_body,
    mask_typed,
    replace_members,
    replace_typed,
)

__all__ = [
    "HIDDEN",
    "MASK",
    "MIN_REDACTED",
    "SECRET_TAG",
    "WEBHOOK_URL",
    "Echoes",
    "credentials_in",
    "echoes",
    "header_lines",
    "is_credential",
    "is_credential_in_body",
    "mask_header",
    "mask_typed",
    "mask_url",
    "origin_in",
    "replace_members",
    "replace_parameters",
    "replace_typed",
    "written_forms",
]
