"""Testers and tickets, the same ones on every machine."""

from __future__ import annotations

import itertools
import random
import unicodedata
from collections.abc import Sequence
from datetime import datetime, timedelta

from feedback.models import Community, Feedback, Status, Tester, Visibility

from . import forms, words

# Letters that Unicode does not decompose.
_PLAIN = str.maketrans({"ł": "l", "ø": "o", "ı": "i", "ß": "ss", "'": "", " ": ""})


def testers(community: Community) -> list[Tester]:
    pick = random.Random("testers")
    return [_tester(community, name, pick) for name in words.PEOPLE]


def _tester(community: Community, name: str, pick: random.Random) -> Tester:
    first, _, last = name.partition(" ")
    country, city, region, postal_code, street = pick.choice(words.PLACES)
    address = f"{_plain(first)}.{_plain(last)}@example.{pick.choice(['com', 'org'])}"
    return Tester(
        community=community,
        email=address,
        first_name=first,
        last_name=last,
        phone=f"+1 555 01{pick.randrange(100):02}" if country == "US" else "",
        company=pick.choice(words.COMPANIES),
        street1=f"{pick.randrange(1, 180)} {street}",
        city=city,
        region=region,
        postal_code=postal_code,
        country=country,
        external_data={"score": pick.randrange(0, 500, 5)},
    )


def _plain(name: str) -> str:
    parts = unicodedata.normalize("NFKD", name.lower().translate(_PLAIN))
    return parts.encode("ascii", "ignore").decode()


def bugs(
    features: Sequence[str],
    count: int,
    statuses: Sequence[Status],
    submitters: Sequence[Tester],
    now: datetime,
) -> list[Feedback]:
    """Unsaved bug reports on these features, with answers on the form."""
    pick = random.Random(f"bugs: {features[0]}")
    mixed = list(itertools.product(features, words.SYMPTOMS, words.CIRCUMSTANCES))
    times = _times(count, now, pick)
    rows = []
    for (feature, *problem), at in zip(pick.sample(mixed, count), times, strict=True):
        steps = pick.choice(words.STEPS).format(feature=_inside(feature))
        ticket = Feedback(
            title=" ".join([feature, *problem]),
            description=_paragraphs(pick, words.OPENINGS, steps, words.ENDINGS),
            status=_weighted(pick, statuses, forms.BUG_STATUSES),
            submitter=pick.choice(submitters),
            visibility=_visibility(pick),
            form_values=_bug_answers(pick, steps, at),
            created_at=at,
        )
        ticket.external_data = _external_data(pick, ticket)
        rows.append(ticket)
    return rows


def ideas(
    features: Sequence[str],
    count: int,
    statuses: Sequence[Status],
    submitters: Sequence[Tester],
    now: datetime,
) -> list[Feedback]:
    """Unsaved ideas for these features, with answers on the form."""
    pick = random.Random(f"ideas: {features[0]}")
    mixed = list(itertools.product(features, words.WISHES))
    times = _times(count, now, pick)
    return [
        Feedback(
            title=f"{feature}: {wish}",
            description=_paragraphs(
                pick, [f"The {_inside(feature)} should {wish}."], "", words.REASONS
            ),
            status=_weighted(pick, statuses, forms.IDEA_STATUSES),
            submitter=pick.choice(submitters),
            visibility=_visibility(pick),
            form_values=_idea_answers(pick),
            created_at=at,
        )
        for (feature, wish), at in zip(pick.sample(mixed, count), times, strict=True)
    ]


def _times(count: int, now: datetime, pick: random.Random) -> list[datetime]:
    """Moments of the last ten weeks, oldest first, as tickets are numbered in order."""
    ages = sorted((pick.uniform(1, 70) for _ in range(count)), reverse=True)
    return [now - timedelta(days=age) for age in ages]


def _paragraphs(
    pick: random.Random, first: Sequence[str], middle: str, last: Sequence[str]
) -> str:
    parts = [pick.choice(first), middle, pick.choice(last)]
    return "\n\n".join(part for part in parts if part)


def _inside(feature: str) -> str:
    """As it is written in the middle of a sentence: GPX stays GPX."""
    return feature if feature[1:] != feature[1:].lower() else feature.lower()


def _weighted(
    pick: random.Random,
    statuses: Sequence[Status],
    known: Sequence[tuple[str, str, bool, int]],
) -> Status:
    return pick.choices(statuses, [weight for *_, weight in known])[0]


def _visibility(pick: random.Random) -> Visibility:
    return pick.choices([Visibility.PUBLIC, Visibility.PRIVATE], [85, 15])[0]


def _bug_answers(pick: random.Random, steps: str, at: datetime) -> dict[str, object]:
    answers: dict[str, object] = {
        "severity": pick.choices(forms.SEVERITIES, forms.SEVERITY_WEIGHTS)[0],
        "platform": sorted(pick.sample(forms.PLATFORMS, pick.choice([1, 1, 2]))),
        "reproducible": pick.random() < 0.6,
        "app_version": pick.choice(forms.VERSIONS),
        "found_on": (at - timedelta(days=pick.randrange(4))).date().isoformat(),
        "steps_to_reproduce": steps,
    }
    if pick.random() < 0.7:
        answers["impact"] = pick.randrange(1, 40)
    if pick.random() < 0.2:
        answers["recording"] = f"https://files.example.com/r/{pick.randrange(10**6)}"
    return answers


def _idea_answers(pick: random.Random) -> dict[str, object]:
    return {
        "benefit": pick.choice(forms.BENEFITS),
        "audience": sorted(pick.sample(forms.AUDIENCES, pick.choice([1, 2]))),
        "would_pay_for_it": pick.random() < 0.3,
    }


def _external_data(pick: random.Random, ticket: Feedback) -> dict[str, object]:
    """Some tickets are known to the developers' tracker, the closed ones mostly."""
    assert ticket.status is not None  # noqa: S101 - for the type checker
    if pick.random() > (0.1 if ticket.status.is_open else 0.7):
        return {}
    state = "In Progress" if ticket.status.is_open else "Done"
    return {"jira_key": f"NW-{pick.randrange(100, 900)}", "jira_status": state}
