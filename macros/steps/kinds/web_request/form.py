"""How web requests are laid out on the page of their macro."""

from __future__ import annotations

from ...kind import StepForm
from .return_values import ReturnValuesField

_ABOUT_RETURN_VALUES = (
    "The parts of the response that are stored in the external data of the ticket or"
    " tester, to be used as tags, filters and columns. To remove a row, clear its name"
    " and path."
)

_ABOUT_WAITS = (
    "A destination that says that requests come too fast gets none until the time that"
    " it names, from no macro of the community; then the delivery is tried again."
)

FORM = StepForm(
    "Send a web request",
    order=10,
    prefix="steps",
    fields=["method", "url", "headers", "body_kind", "body"],
    sections=[
        (
            "Return values",
            {"fields": ["return_values"], "description": _ABOUT_RETURN_VALUES},
        ),
        ("Too fast", {"fields": ["wait_when"], "description": _ABOUT_WAITS}),
        (
            "Authentication",
            {
                "fields": [
                    ("auth_kind", "auth_user", "auth_secret"),
                    ("token_url", "token_in_body"),
                    "token_parameters",
                ]
            },
        ),
        ("Signature", {"fields": [("signing_secret", "previous_signing_secret")]}),
    ],
    rows={"url": 1, "headers": 3, "body": 12, "token_parameters": 2, "wait_when": 2},
    form_fields={"return_values": lambda: ReturnValuesField(label="", required=False)},
    tags=["url", "headers", "body"],
    is_code=True,
    has_preview=True,
)
