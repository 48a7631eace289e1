"""Erasing a person.

In small steps, each a transaction of its own. The first one empties the profile, so
that nothing built from then on carries it, and keeps its values on the row for as long
as they are looked for. So an erasure that was cut off is finished by calling it again.
"""

from __future__ import annotations

from typing import Any

from django.db import OperationalError, models, transaction
from django.db.models import Model
from django.utils import timezone

from feedback.access.keys import Actor
from feedback.changes import quietly
from feedback.models import Attachment, Community, StoredResponse, Tester
from feedback.names import fold
from feedback.packages import snapshots
from feedback.transfer import imports

from .. import audit, recording
from ..models import Action, Attempt, Delivery, Transcript
from ..models.transcripts import KEY
from .footprint import attempts_about, deliveries_about
from .locations import (
    PROFILE,
    DataLocation,
    Row,
    in_chunks,
    matches_in,
    other_locations,
    other_traces,
    own_locations,
    own_traces,
    whole_locations,
)
from .traces import ERASED, Traces

# Files that go in one transaction.
_FILES = 500


class ErasureUnfinished(Exception):
    """Why it has to be started once more, as a sentence for the person who asked."""


def find_tester(community: Community, email: str) -> Tester | None:
    """The tester with this e-mail, even if the erasure was cut off."""
    rows = Tester.objects.filter(community=community)
    if tester := rows.filter(email__iexact=email).first():
        return tester
    unfinished = rows.exclude(erasure={}).order_by("pk")
    for row in unfinished:
        if fold(row.erasure.get("values", {}).get("email", "")) == fold(email):
            return row
    return None


def erase_tester(
    tester: Tester, actor: Actor | None, *, remove_texts: bool = False
) -> None:
    """Erase a tester; the links of tickets to the emptied profile stay.

    `actor` has a `get_username()`, or is None. The person's values are replaced in the
    tickets, or with `remove_texts` all that these say is removed. Does nothing where
    all is done already. Nothing of it is announced, so nothing starts because of it.
    Raises ErasureUnfinished while requests about tester or tickets are on the wire, and
    where the database gave up on the way.
    """
    with quietly():
        _begin(tester, actor, remove_texts)
        if tester.erasure:
            _go_on(tester, actor)


def _go_on(tester: Tester, actor: Actor | None) -> None:
    try:
        _go_through(tester, actor)
    except OperationalError as error:
        raise ErasureUnfinished(
            "The database took too long for a part of it, or was away. The profile is"
            " empty, and the rest is not finished. Erase the tester again to go on;"
            " where the log is long, by the command erase_tester, which has no time"
            " limit."
        ) from error


def _go_through(tester: Tester, actor: Actor | None) -> None:
    values = tester.erasure["values"]
    own, others = own_traces(values), other_traces(tester, values)
    _delete_files(tester)
    imports.stop_unread(tester.community)
    for location in own_locations(tester):
        if tester.erasure["remove_texts"]:
            _remove(location)
        else:
            _clean(location, own)
    _stop_and_scrub(tester)
    for location in whole_locations(tester):
        _remove(location)
    for location in other_locations(tester):
        if location.is_scrubbed_whole:
            _scrub(location, others)
        else:
            _clean(location, others)
    # People may act in several communities, so theirs are of none.
    StoredResponse.objects.filter(community=None).update(body="")
    _relabel(tester)
    with transaction.atomic():
        # What was on the wire meanwhile may have brought some again.
        Tester.objects.filter(pk=tester.pk).update(erasure={}, **_brought())
        snapshots.forget(tester.community)
        audit.record(Action.ERASED, tester, actor=actor)
    tester.erasure = {}


def _delete_files(tester: Tester) -> None:
    """Whole: nobody can take a person out of a picture. In the store, too."""
    rows = Attachment.objects.filter(feedback__submitter=tester).order_by("pk")
    while pks := list(rows.values_list("pk", flat=True)[:_FILES]):
        Attachment.objects.filter(pk__in=pks).delete()


def _begin(tester: Tester, actor: Actor | None, remove_texts: bool) -> None:
    with transaction.atomic():
        row = Tester.objects.select_for_update().get(pk=tester.pk)
        erasure = row.erasure
        if row.erased_at is None:
            values = {name: getattr(row, name) for name in PROFILE}
            erasure = {"values": values, "remove_texts": False}
            for name in PROFILE:
                setattr(row, name, "")
            # No mail ever reaches a name under `invalid` (RFC 6761).
            row.email = f"erased-{row.pk}@invalid"
            for name, empty in _brought().items():
                setattr(row, name, empty)
            row.erased_at = timezone.now()
            row.erased_by = actor.get_username() if actor else ""
        if remove_texts:
            erasure = {"values": {}, **erasure, "remove_texts": True}
        row.erasure = erasure
        row.save()
    tester.refresh_from_db()


def _stop_and_scrub(tester: Tester) -> None:
    """Nothing of it is sent any more, and what was is on the log without its texts.

    Scrubbed before, so that no resend of stored bytes begins; and after, since what
    was held then has been written down since.
    """
    recording.scrub(attempts_about(tester))
    held = recording.withdraw(deliveries_about(tester), timezone.now())
    if held:
        noun = "request is" if held == 1 else "requests are"
        raise ErasureUnfinished(
            f"{held:,} {noun} being sent at this moment with the tester's data. All"
            " others were cancelled. Erase the tester again in a minute to finish."
        )
    recording.scrub(attempts_about(tester))


def _relabel(tester: Tester) -> None:
    """The log names the tester by the e-mail."""
    named = Delivery.objects.filter(tester=tester).exclude(subject_label=tester.email)
    with transaction.atomic():
        named.in_order().update(subject_label=tester.email)


def _brought() -> Row:
    """What macros and other systems put on the profile, as it is when empty."""
    return {name: _empty(Tester, name) for name in Tester.BROUGHT}


def _empty(model: type[Model], name: str) -> Any:
    """What stands in a column whose text was removed."""
    field = model._meta.get_field(name)
    assert isinstance(field, models.Field)  # noqa: S101 - columns have one
    is_text = isinstance(field, models.CharField | models.TextField)
    return ERASED if is_text and not field.blank else field.get_default()


def _remove(location: DataLocation) -> None:
    changes = {name: _empty(location.model, name) for name in location.fields}
    for row in in_chunks(location.rows, ()):
        location.model._default_manager.filter(pk=row["pk"]).update(**changes)


def _clean(location: DataLocation, traces: Traces) -> None:
    for match in matches_in(location, traces):
        with transaction.atomic():
            rows = location.model._default_manager.filter(pk=match["pk"])
            for row in rows.select_for_update().values(*location.fields):
                rows.update(**_without(location.model, row, traces))


def _without(model: type[Model], row: Row, traces: Traces) -> Row:
    changes = {}
    for name, value in row.items():
        erased = traces.erased_from(value)
        longest = getattr(model._meta.get_field(name), "max_length", None)
        changes[name] = erased[:longest] if longest else erased
    return changes


def _scrub(location: DataLocation, traces: Traces) -> None:
    """Whole rows: what else one says may be about the person too."""
    emptied = {name: _empty(location.model, name) for name in location.fields}
    for row in matches_in(location, traces):
        if location.model is Attempt:
            recording.scrub(Attempt.objects.filter(pk=row["pk"]))
        elif location.model is Transcript:
            key = dict(zip(KEY, row["pk"], strict=True))
            recording.scrub(Attempt.objects.filter(**key))
        else:
            rows = location.model._default_manager.filter(pk=row["pk"])
            rows.update(**emptied)
