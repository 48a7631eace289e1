"""What a macro was like each time it was saved, and how it becomes so again."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from logs import audit
from logs.models import Action

from ..models import Macro, MacroVersion
from .applying import fill_macro
from .problems import Problems
from .writing import macro_document


@transaction.atomic
def note_version(macro: Macro, actor: Any = None, note: str = "") -> MacroVersion:
    """Write down what is saved of the macro, unless its newest version says the same.

    Call it in the transaction that changed the macro.
    """
    stored = _locked(macro)
    document = macro_document(stored)
    newest = stored.versions.first()
    if newest is not None and newest.document == document:
        return newest
    return MacroVersion.objects.create(
        macro=stored,
        number=newest.number + 1 if newest else 1,
        document=document,
        actor=actor if isinstance(actor, User) else None,
        actor_name=actor.get_username() if actor else "",
        note=note,
    )


def newest_number(macro: Macro) -> int:
    """0 where there is none."""
    number = macro.versions.values_list("number", flat=True).first()
    return number or 0


def current_number(macro: Macro) -> int:
    """Of the version that says what the macro is, which is written if there is none.

    A change of what the macro only refers to, such as the name of a status, is noted
    here.
    """
    newest = macro.versions.first()
    if newest is not None and newest.document == macro_document(macro):
        return newest.number
    return note_version(macro, note="Found so when a run was started.").number


@transaction.atomic
def restore(version: MacroVersion, actor: Any) -> MacroVersion:
    """Make a macro what it was, and that a new version. It stays on or off.

    Raises ConfigRefused where it would not be saved like that today.
    """
    macro = _locked(version.macro)
    problems = Problems()
    document = {**version.document, "is_active": macro.is_active}
    fill_macro(macro, document, "", problems)
    problems.refuse()
    made = note_version(macro, actor, f"Restored from version {version.number}.")
    told = f"Version {version.number}, as version {made.number}."
    audit.record(Action.RESTORED, macro, actor=actor, detail=told)
    return made


def _locked(macro: Macro) -> Macro:
    """The stored row. Who else saves it waits; runs that refer to it don't."""
    return Macro.objects.select_for_update(no_key=True, of=("self",)).get(pk=macro.pk)
