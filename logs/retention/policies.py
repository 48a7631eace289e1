"""For how many days what is kept: the operator's limits, and each community's own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import TextChoices

from ..models import RetentionPolicy


class Kept(TextChoices):
    """What people decide about, in the order in which it goes."""

    BODIES = "bodies", "Requests and responses"
    ATTEMPTS = "attempts", "Attempts"
    DELIVERIES = "deliveries", "Runs and their deliveries"
    CALLS = "calls", "Calls received"
    AUDIT = "audit", "Audit log"


@dataclass(frozen=True, slots=True)
class Rule:
    """The operator's setting, and the fewest days that it and a community may say."""

    setting: str
    minimum: int
    help: str


RULES = {
    Kept.BODIES: Rule(
        "BODIES_KEPT_DAYS",
        1,
        "What was sent and what came back: addresses, headers and bodies. Without them"
        " nothing can be sent again as it was.",
    ),
    Kept.ATTEMPTS: Rule(
        "ATTEMPTS_KEPT_DAYS",
        7,
        "Each try: when, how long, the status of the response and the kind of error.",
    ),
    Kept.DELIVERIES: Rule(
        "DELIVERIES_KEPT_DAYS",
        30,
        "What was sent for whom and how it ended, counted from the end of the run."
        " Daily figures stay.",
    ),
    Kept.CALLS: Rule(
        "INBOUND_KEPT_DAYS",
        1,
        "What other systems sent to listeners, and what became of it. Replays and"
        " repeats reach back no further.",
    ),
    Kept.AUDIT: Rule(
        "AUDIT_KEPT_DAYS",
        365,
        "Who did what, when and from where; it goes back a year at least.",
    ),
}
# A hundred years. What is kept longer is kept for ever.
MAX_DAYS = 36_500
# Each of these hangs on the next, and can't be kept longer.
LADDER = (Kept.BODIES, Kept.ATTEMPTS, Kept.DELIVERIES)

Days = Mapping[Kept, int | None]


def operators() -> dict[Kept, int | None]:
    """What the settings say; None is for ever, and so is what says nothing sensible."""
    return {kept: _sensible(kept, _given(kept)) for kept in Kept}


def _given(kept: Kept) -> object:
    return getattr(settings, RULES[kept].setting)


def _sensible(kept: Kept, value: object) -> int | None:
    if not isinstance(value, int):
        return None
    return value if RULES[kept].minimum <= value <= MAX_DAYS else None


def problems() -> Iterator[tuple[str, str]]:
    """What is wrong with the operator's settings, and what to do, as sentences.

    As long as there is any, nothing goes by age.
    """
    days = operators()
    for kept, rule in RULES.items():
        given, noun = _given(kept), kept.label
        if days[kept] is None and not (given is None and kept == Kept.AUDIT):
            yield (
                f"{rule.setting} is {given}. {noun}: kept for a whole number of"
                f" days, from {rule.minimum} to {MAX_DAYS}. {_IDLE}",
                "Correct it, or take the line away: the default suits nearly everyone.",
            )
    for kept, longer in _pairs():
        if _is_more(days[kept], days[longer]):
            mine, other = RULES[kept].setting, RULES[longer].setting
            yield (
                f"{mine} is {days[kept]}, and {other} only {days[longer]}:"
                f" {kept.label.lower()} go with the {longer.label.lower()} at the"
                f" latest. {_IDLE}",
                f"Lower {mine}, or raise {other}.",
            )


_IDLE = "Nothing goes by age meanwhile."


def _pairs() -> Iterator[tuple[Kept, Kept]]:
    """What hangs on what."""
    return zip(LADDER, LADDER[1:], strict=False)


def _is_more(days: int | None, others: int | None) -> bool:
    """Whether it is known to be longer."""
    return days is not None and others is not None and days > others


def refusals(own: Days) -> dict[Kept, str]:
    """Why a community can't have these days of its own; empty where it can."""
    limits, refused = operators(), dict[Kept, str]()
    for kept, days in own.items():
        limit, minimum = limits[kept], RULES[kept].minimum
        if days is None:
            continue
        if not minimum <= days <= MAX_DAYS:
            refused[kept] = f"From {minimum:,} to {MAX_DAYS:,}, or leave it empty."
        elif _is_more(days, limit):
            refused[kept] = (
                f"At most {limit}: this installation keeps them no longer. Only"
                " whoever runs it can change that."
            )
    for kept, longer in _pairs():
        if _is_more(own.get(kept), own.get(longer)):
            refused.setdefault(
                kept,
                f"At most {own[longer]}: they go with the {longer.label.lower()} at"
                " the latest.",
            )
    return refused


def effective(own: Days) -> dict[Kept, int | None]:
    """What holds for a community: its own days where they are fewer, and a floor."""
    days = operators()
    for kept, chosen in own.items():
        if chosen is not None and not _is_more(chosen, days[kept]):
            days[kept] = max(chosen, RULES[kept].minimum)
    for kept, longer in reversed(list(_pairs())):
        if _is_more(days[kept], days[longer]):
            days[kept] = days[longer]
    return days


class Limits:
    """What holds for each community at one moment; `own` is what they have chosen."""

    def __init__(self, now: datetime, own: Mapping[int, Days]) -> None:
        self.now = now
        self._usual = effective({})
        self._own = {pk: effective(days) for pk, days in own.items()}

    @classmethod
    def at(cls, now: datetime, community: int | None = None) -> Limits:
        """Those of all communities, or for what is asked of one."""
        rows = RetentionPolicy.objects.all()
        if community is not None:
            rows = rows.filter(community=community)
        return cls(now, {each.community_id: own_days(each) for each in rows})

    def days(self, kept: Kept, community: int | None) -> int | None:
        return self._own.get(community or 0, self._usual)[kept]

    def oldest(self, kept: Kept, community: int | None) -> datetime | None:
        """What is older goes; None where all is kept for ever."""
        return self._before(self.days(kept, community))

    def newest(self, kept: Kept) -> datetime | None:
        """What is younger stays, whosever it is."""
        every = [each[kept] for each in (self._usual, *self._own.values())]
        known = [days for days in every if days is not None]
        return self._before(min(known, default=None))

    def longest(self, kept: Kept) -> datetime | None:
        """What is older goes, whosever it is."""
        every = [each[kept] for each in (self._usual, *self._own.values())]
        known = [days for days in every if days is not None]
        return self._before(max(known)) if len(known) == len(every) else None

    def _before(self, days: int | None) -> datetime | None:
        return None if days is None else self.now - timedelta(days=days)


def own_days(policy: RetentionPolicy) -> dict[Kept, int | None]:
    return {kept: getattr(policy, f"{kept}_days") for kept in Kept}
