"""Testers as other programs bring them: many at once, by their e-mail addresses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from ..changes import unit, write
from ..changes.signals import set_together
from ..forms import text_of_json
from ..models import Community, Tester
from ..names import Hints, fold, normalise, one_line
from ..units import Unit, Values
from .external import COLUMNS, Data, columns_with, read_external
from .faults import Faults, SubmissionRefused
from .outcomes import RowOutcome
from .people import testers_by_email, valid_email

# Testers in one call.
MAX_TESTERS = 1_000

EXTERNAL = "external_data"
_NAMES = (*Tester.PROFILE, EXTERNAL)
_ROWS = "testers"
_COLUMNS: Any = {name: Tester._meta.get_field(name) for name in Tester.PROFILE}
_FORM_FIELDS: dict[str, forms.CharField] = {
    name: forms.CharField(max_length=column.max_length, required=False)
    for name, column in _COLUMNS.items()
}


@dataclass(slots=True)
class Row:
    """One tester of a call: what was sent, and what became of it."""

    index: int
    faults: Faults
    email: str = ""
    profile: dict[str, str] = field(default_factory=dict)
    external: Data = field(default_factory=dict)
    tester: Tester | None = None
    is_new: bool = False
    outcome: RowOutcome = RowOutcome.REFUSED

    @property
    def pk(self) -> int | None:
        return self.tester.pk if self.tester else None


def bring(
    community: Community,
    sent: Sequence[object],
    source: str,
    *,
    all_or_nothing: bool = False,
) -> list[Row]:
    """Add the testers that the community does not know, and change those it does.

    What is not given of a tester stays. A row at fault is refused and the others are
    written, or with `all_or_nothing` none: that raises SubmissionRefused. All are one
    unit of work, in some statements however many they are.
    """
    rows = _read(sent)
    with unit() as opened:
        given = _planned(opened, community, rows, source)
        faults = [fault for row in rows for fault in row.faults]
        if all_or_nothing and faults:
            raise SubmissionRefused(faults)
        write(Tester, given)
        new = [row.tester for row in rows if row.is_new]
        Tester.objects.bulk_create(filter(None, new), batch_size=500)
        if changes := opened.changes(Tester):
            set_together.send(Tester, changes=changes)
    changed = {each.pk for each in changes}
    for row in rows:
        if row.tester is not None:
            row.outcome = _outcome(row, changed)
    return rows


def _outcome(row: Row, changed: set[int]) -> RowOutcome:
    if row.is_new:
        return RowOutcome.CREATED
    is_changed = row.tester is not None and row.tester.pk in changed
    return RowOutcome.UPDATED if is_changed else RowOutcome.UNCHANGED


def _read(sent: Sequence[object]) -> list[Row]:
    rows, first, hints = [], dict[str, int](), Hints()
    for index, each in enumerate(sent):
        row = _read_row(index, each, hints)
        before = first.setdefault(fold(row.email), index) if row.email else index
        if before != index:
            message = f"The same e-mail address is in #/{_ROWS}/{before}."
            row.faults.add(["email"], message)
        rows.append(row)
    return rows


def _read_row(index: int, sent: object, hints: Hints) -> Row:
    row = Row(index, Faults((_ROWS, index), hints))
    if not isinstance(sent, dict):
        row.faults.add([], 'Give an object: {"email": "ada@example.com"}.')
        return row
    given = _sorted(sent, row.faults)
    for name in Tester.PROFILE:
        if name in given or name == "email":
            try:
                _read_profile(row, name, given.get(name))
            except ValidationError as error:
                row.faults.add_error(name, error)
    row.external = read_external(given.get(EXTERNAL), row.faults, EXTERNAL)
    return row


def _sorted(sent: Mapping[str, object], faults: Faults) -> dict[str, object]:
    given: dict[str, object] = {}
    for name, value in sent.items():
        meant = normalise(name)
        if meant not in _NAMES:
            faults.add_unknown(name, _NAMES)
        elif meant in given:
            faults.add([name], f"'{meant}' is given twice.")
        else:
            given[meant] = value
    return given


def _read_profile(row: Row, name: str, value: object) -> None:
    text = one_line(text_of_json(value))
    if name == "email":
        row.email = valid_email(text)
    elif name == "country":
        row.profile[name] = country_of(text)
    else:
        row.profile[name] = str(_FORM_FIELDS[name].clean(text))


def country_of(text: str) -> str:
    if text and not (len(text) == 2 and text.isascii() and text.isalpha()):
        raise ValidationError("Give two letters, as ISO 3166 has them: DE, US.")
    return text.upper()


def _planned(
    opened: Unit, community: Community, rows: list[Row], source: str
) -> dict[int, Values]:
    """What to write to testers of the community, each as it is once it is locked.

    The other rows get a new tester, unless they are at fault.
    """
    fine = [row for row in rows if not row.faults]
    known = testers_by_email(community, (row.email for row in fine))
    pks = [tester.pk for tester in known.values()]
    stored = opened.lock(Tester, pks, (*Tester.PROFILE, *COLUMNS))
    given: dict[int, Values] = {}
    for row in fine:
        tester = known.get(fold(row.email))
        present = stored.get(tester.pk, {}) if tester else {}
        if tester and (not present or present["erased_at"]):
            row.faults.add(["email"], "The tester was erased or deleted meanwhile.")
        external = columns_with(present, row.external, source, row.faults, EXTERNAL)
        if row.faults:
            continue
        columns = {**row.profile, **external}
        if tester is None:
            row.is_new = True
            tester = Tester(community=community, email=row.email, **columns)
        else:
            given[tester.pk] = columns
        row.tester = tester
    return given
