"""The deeds on the whole installation, and whose database this is.

A backup is of one installation. Started with other keys or at another address it may
be a copy of one that still runs, so what the database was last used with is kept in it
as fingerprints, and compared.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import pbkdf2

from feedback import mode
from feedback.access.keys import Actor
from feedback.models import Installation, Mode
from logs import audit
from logs.models import Action

# So slow that a guess at a weak key costs something; few are compared.
_ITERATIONS = 20_000
_BYTES = 16


@dataclass(frozen=True, slots=True)
class Difference:
    """What is not as it was when the database was last used."""

    name: str
    sentence: str


def set_mode(new: Mode, actor: Actor | str) -> bool:
    """Whether that changed anything. To send again says that the keys are meant."""
    with transaction.atomic():
        row = _locked()
        before = Mode(row.mode)
        if new == before:
            return False
        row.mode, row.mode_since = new, timezone.now()
        row.mode_by = str(actor)[:150]
        action, detail = Action.PAUSED, ""
        if new == Mode.NORMAL:
            action, detail = Action.RESUMED, _take_over(row)
        row.save()
        changes = {"mode": [before.label, new.label]}
        audit.record(action, row, actor=actor, changes=changes, detail=detail)
    mode.forget()
    return True


def adopt(actor: Actor | str) -> None:
    """The keys and the address of now are those of this database."""
    with transaction.atomic():
        row = _locked()
        detail = _take_over(row)
        row.save()
        audit.record(Action.CHANGED, row, actor=actor, detail=detail)


def _take_over(row: Installation) -> str:
    names = ", ".join(each.name for each in differences(row))
    _note_use(row)
    return f"Took over the database with another {names}." if names else ""


def note_first_use() -> None:
    """A new database is that of whoever starts a clock on it first."""
    if not Installation.objects.filter(secret_key__gt="").exists():
        with transaction.atomic():
            row = _locked()
            _note_use(row)
            row.save()


def note_rotation() -> None:
    """All secrets are encrypted under the first key now; the others may go."""
    with transaction.atomic():
        row = _locked()
        row.secrets_key = _fingerprint(row, settings.SECRETS_KEYS[0])
        row.save()


def differences(row: Installation | None = None) -> list[Difference]:
    """None for a database that nobody has used yet."""
    row = row or Installation.objects.filter(pk=1).first()
    if row is None or not row.secret_key:
        return []
    return list(_differences(row))


def _differences(row: Installation) -> Iterator[Difference]:
    if row.secret_key != _fingerprint(row, settings.SECRET_KEY):
        yield Difference(
            "SECRET_KEY", "SECRET_KEY is another one, so that people are signed out."
        )
    known = (_fingerprint(row, each) for each in settings.SECRETS_KEYS)
    if row.secrets_key not in known:
        yield Difference(
            "SECRETS_KEYS",
            "SECRETS_KEYS lacks the key that encrypted last, so that stored secrets"
            " can't be read.",
        )
    if row.address != settings.BASE_URL[:500]:
        yield Difference("BASE_URL", f"BASE_URL was {row.address}.")


def _locked() -> Installation:
    pk = Installation.objects.the_one().pk
    return Installation.objects.select_for_update().get(pk=pk)


def _note_use(row: Installation) -> None:
    row.address = settings.BASE_URL[:500]
    row.secret_key = _fingerprint(row, settings.SECRET_KEY)
    row.secrets_key = _fingerprint(row, settings.SECRETS_KEYS[0])


def _fingerprint(row: Installation, key: str) -> str:
    return pbkdf2(key, row.key, _ITERATIONS, dklen=_BYTES).hex()
