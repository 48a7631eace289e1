"""What a macro was like each time it was saved."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import transaction

from feedback.access.keys import Actor

from ..models import Macro, MacroVersion
from .writing import macro_document


@transaction.atomic
def note_version(
    macro: Macro, actor: Actor | None = None, note: str = ""
) -> MacroVersion:
    """Write down what is saved of the macro, unless its newest version says the same.

    Call it in the transaction that changed the macro.
    """
    stored = locked_macro(macro)
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
    """The number of the version that says what the macro is; written if there is none.

    A change of what the macro only refers to, such as the name of a status, is noted
    here.
    """
    newest = macro.versions.first()
    if newest is not None and newest.document == macro_document(macro):
        return newest.number
    return note_version(macro, note="Found so when a run was started.").number


def locked_macro(macro: Macro) -> Macro:
    """The stored row. Who else saves it waits; runs that refer to it don't."""
    return Macro.objects.select_for_update(no_key=True, of=("self",)).get(pk=macro.pk)
