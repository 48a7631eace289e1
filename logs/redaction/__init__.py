"""What must not be read in a log, masked before a row is written."""

from .forms import MIN_REDACTED, Echoes, echoes, written_forms
from .masks import (
    HIDDEN,
    MASK,
    credentials_in,
    header_lines,
    is_credential,
    mask_header,
    mask_url,
    origin_in,
    redact,
    redact_end,
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
    "redact",
    "redact_end",
    "replace_members",
    "replace_parameters",
    "replace_typed",
    "written_forms",
]
