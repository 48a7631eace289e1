from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.core import checks as django_checks

from .findings import Finding, Severity


def checks(now: datetime) -> Iterator[Finding]:
    """What `manage.py check --deploy` says, in one finding for each."""
    for each in django_checks.run_checks(include_deployment_checks=True):
        if each.is_silenced() or each.level < django_checks.WARNING:
            continue
        is_bad = each.level >= django_checks.ERROR
        yield Finding(
            "settings",
            Severity.BAD if is_bad else Severity.WARNING,
            f"{each.msg} ({each.id})",
            each.hint or "See docs/settings.md.",
        )
