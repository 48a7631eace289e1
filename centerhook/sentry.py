"""Faults to Sentry, or to what speaks its protocol. Needs requirements-sentry.txt.

What is logged as an error becomes an event, which says where in the code it happened
and which run and delivery it was about. Nothing that is worked on is in it: the text of
an exception may quote a secret, the arguments of a message may be a stranger's, and the
variables and the request are full of both. They stay in the log.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from feedback.database import is_away

from . import __version__

if TYPE_CHECKING:
    from sentry_sdk.types import Event, Hint

# What the SDK knows of this process, and of a line of code.
_OF_PROCESS = (
    *("event_id", "timestamp", "platform", "release", "environment", "server_name"),
    *("sdk", "level", "logger"),
)
_OF_FRAME = (
    *("abs_path", "filename", "module", "function", "lineno", "in_app"),
    *("pre_context", "context_line", "post_context"),
)
# Loggers whose messages are written in our code, with what they are about apart.
_OURS = ("centerhook", "feedback", "logs", "macros")
# Strangers cause these errors as often as they like, by a Host header for one.
_OF_STRANGERS = "django.security.*"


class Unusable(Exception):
    """Why nothing can be sent, as a sentence, and what to do about it."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


def check(dsn: str) -> None:
    """Raises Unusable."""
    if find_spec("sentry_sdk") is None:
        raise Unusable(
            "SENTRY_DSN is set, but what Sentry needs is not installed: no fault is"
            " reported.",
            "Run: python -m pip install -r requirements-sentry.txt",
        )
    from sentry_sdk.utils import BadDsn, Dsn

    try:
        Dsn(dsn)
    except (BadDsn, ValueError):
        raise Unusable(
            "SENTRY_DSN is not an address that Sentry gives: no fault is reported.",
            "Copy it from the project's settings there: https://KEY@HOST/NUMBER",
        ) from None


def start(dsn: str, **options: Any) -> None:
    """Raises Unusable."""
    check(dsn)
    import sentry_sdk
    from sentry_sdk.integrations.atexit import AtexitIntegration
    from sentry_sdk.integrations.dedupe import DedupeIntegration
    from sentry_sdk.integrations.excepthook import ExcepthookIntegration
    from sentry_sdk.integrations.logging import LoggingIntegration, ignore_logger

    ignore_logger(_OF_STRANGERS)
    sentry_sdk.init(
        dsn=dsn,
        release=__version__,
        # The others would put headers of theirs into what is sent to destinations.
        default_integrations=False,
        auto_enabling_integrations=False,
        integrations=[
            LoggingIntegration(),
            DedupeIntegration(),
            ExcepthookIntegration(),
            AtexitIntegration(callback=lambda pending, timeout: None),
        ],
        auto_session_tracking=False,
        include_local_variables=False,
        max_breadcrumbs=0,
        before_send=without_data,
        **options,
    )


def without_data(event: Event, hint: Hint) -> Event | None:
    """The event made anew, of what can hold no data; None for what is no fault."""
    record = hint.get("log_record")
    if _is_no_fault(record, hint.get("exc_info")):
        return None
    kept: dict[str, Any] = _only(_OF_PROCESS, event)
    if record is not None:
        is_ours = record.name.partition(".")[0] in _OURS
        message = record.msg if is_ours else f"A fault in {record.name}"
        kept["logentry"] = {"message": str(message)}
        about = {name: getattr(record, name, None) for name in ("run", "delivery")}
        kept["tags"] = {k: str(v) for k, v in about.items() if v is not None}
    exceptions = (event.get("exception") or {}).get("values") or []
    kept["exception"] = {"values": [_without_text(each) for each in exceptions]}
    return kept  # type: ignore[return-value]


def _is_no_fault(record: Any, exc_info: Any) -> bool:
    """A response of 503 that was meant, or a database that is away."""
    error = exc_info[1] if exc_info else None
    if error is None:
        return record is not None and record.name == "django.request"
    return is_away(error)


def _without_text(exception: Any) -> dict[str, Any]:
    kept = _only(("type", "module", "mechanism"), exception)
    frames = (exception.get("stacktrace") or {}).get("frames") or []
    kept["stacktrace"] = {"frames": [_only(_OF_FRAME, each) for each in frames]}
    return kept


def _only(names: tuple[str, ...], values: Any) -> dict[str, Any]:
    return {name: values[name] for name in names if name in values}
