"""The parts of pages as functions: what docs/design.md shows, made in one place."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum

from django.templatetags.static import static
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.timesince import timesince
from django.utils.timezone import localtime

from ..models import Status


class Meaning(StrEnum):
    """What a colour says. Each has a shape or a word beside it."""

    GOOD = "good"
    BAD = "bad"
    WAITING = "waiting"
    IDLE = "idle"
    INFO = "info"


def badge(words: object, meaning: str = Meaning.IDLE) -> SafeString:
    """Words on a colour: a `Meaning`, or a colour that people chose for a status."""
    return format_html('<span class="badge {}">{}</span>', meaning, words)


def yes_or_no(value: bool | None) -> SafeString:
    """In words: what is set is seen at a glance, and what is not is no alarm."""
    if value is None:
        return SafeString("-")
    return badge("Yes", Meaning.INFO) if value else SafeString("No")


def status_badge(status: Status) -> SafeString:
    return badge(status.name, status.colour)


def icon(name: str) -> SafeString:
    """An icon of the sprite; the words beside it say what it means."""
    url = f"{static('centerhook/icons.svg')}#{name}"
    return format_html(
        '<svg class="icon" aria-hidden="true"><use href="{}"></use></svg>', url
    )


def bar(parts: Iterable[tuple[str, int, str]], label: str) -> SafeString:
    """A bar of (meaning, count, words), as long as their counts.

    A part that is not empty is seen, however small its share is. `label` is what the
    bar is about; the counts are read out after it.
    """
    shown = [part for part in parts if part[1]]
    total = sum(count for _, count, _ in shown) or 1
    widths = [max(1.0, 100 * count / total) for _, count, _ in shown]
    scale = 100 / (sum(widths) or 1)
    segments, at = [], 0.0
    for (meaning, _, _), width in zip(shown, widths, strict=True):
        segments.append((meaning, f"{at:.2f}", f"{width * scale:.2f}"))
        at += width * scale
    read_out = ", ".join(f"{count:,} {words}" for _, count, words in shown)
    return format_html(
        '<svg class="bar" role="img" aria-label="{}: {}" viewBox="0 0 100 12"'
        ' preserveAspectRatio="none">{}</svg>',
        label,
        read_out or "nothing yet",
        format_html_join(
            "", '<rect class="{}" x="{}" y="0" width="{}" height="12"/>', segments
        ),
    )


def ago(value: datetime) -> str:
    """`3 minutes ago`, in the largest unit; what has just happened is *just now*."""
    now = timezone.now()
    if now - value < timedelta(minutes=1):
        return "just now"
    return f"{timesince(value, now, depth=1)} ago"


def moment(value: datetime | None, seconds: bool = False) -> SafeString:
    """A date and time, the same everywhere; to the second where one points at it.

    With `seconds` they are seen at once: of what is awaited, or follows closely.
    """
    if value is None:
        return SafeString("-")
    local = localtime(value)
    whole = date_format(local, "j M Y, H:i:s")
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        value.isoformat(),
        whole,
        whole if seconds else date_format(local, "j M Y, H:i"),
    )
