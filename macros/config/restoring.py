"""A macro becomes again what one of its versions says."""

from __future__ import annotations

from django.db import transaction

from feedback.access.keys import Actor
from logs.models import Action

from ..models import MacroVersion
from .applying import fill_macro
from .problems import Problems
from .versions import locked_macro


@transaction.atomic
def restore(version: MacroVersion, actor: Actor | None) -> MacroVersion:
    """Make a macro what it was, and that a new version. It stays on or off.

    Raises ConfigRefused where it would not be saved like that today.
    """
    macro = locked_macro(version.macro)
    problems = Problems()
    document = {**version.document, "is_active": macro.is_active}
    made = fill_macro(
        macro,
        document,
        "",
        problems,
        actor=actor,
        note=f"Restored from version {version.number}.",
        action=Action.RESTORED,
    )
    problems.refuse()
    assert made is not None  # noqa: S101 - refused otherwise
    return made
