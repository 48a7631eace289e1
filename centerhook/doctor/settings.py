from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.conf import settings
from django.core import checks as django_checks

from .findings import Finding, Severity, warning

# What Django says, sentence by sentence, of a site that people reach without TLS.
_TLS = ("security.W004", "security.W008", "security.W012", "security.W016")


def checks(now: datetime) -> Iterator[Finding]:
    """What `manage.py check --deploy` says, in one finding for each."""
    for each in django_checks.run_checks(include_deployment_checks=True):
        name = each.id or ""
        is_left_out = each.is_silenced() or each.level < django_checks.WARNING
        if is_left_out or name in _TLS:
            continue
        is_bad = each.level >= django_checks.ERROR
        yield Finding(
            "settings",
            Severity.BAD if is_bad else Severity.WARNING,
            f"{each.msg} ({name})",
            each.hint or "See docs/settings.md.",
        )


def tls(now: datetime) -> Iterator[Finding]:
    if not settings.HAS_TLS:
        yield warning(
            "no_tls",
            f"People reach CenterHook without TLS, at {settings.BASE_URL}.",
            "Fine on your own machine. Elsewhere put a proxy with TLS in front and let"
            " BASE_URL begin with https://, which makes cookies secure too.",
        )
