"""The one door to start work."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.template.defaultfilters import pluralize
from django.utils import timezone

from feedback.access.keys import Actor
from feedback.models import Feedback, Tester
from feedback.selection.once import each_once
from logs import audit
from logs.models import Action, Cause, Delivery, Run, RunState, Subjects

from .. import queue
from ..models import Macro, Step
from ..steps.rendering import Plan
from ..tags import TemplateError
from .because import Because
from .subjects import not_run_on, nothing_left, runs_on


class RunRefused(Exception):
    """Why a run was not started, as a sentence for the person who asked."""


class NothingSelected(RunRefused):
    """There is nothing to run on."""


class KeyReused(RunRefused):
    """The key belongs to a run for which something else was requested."""


def start_run(
    macro: Macro,
    subjects: Subjects,
    *,
    cause: Cause,
    actor: Actor | None = None,
    key: str = "",
    fingerprint: str = "",
    selection: str = "",
    because: Because | None = None,
) -> Run:
    """Create a run with a delivery for each subject and step, and wake the workers.

    All rows exist when this returns inside its transaction; the workers are notified
    after the commit. A second call with the same `key` (32 hexadecimal digits) and the
    same `fingerprint` returns the first one's run, whatever has changed since. Raises
    RunRefused, and then nothing is written.

    `because` tells of the trigger, schedule or listener that starts it. A run that
    needs confirmation has its deliveries, and no worker takes them.
    """
    key = key or uuid.uuid4().hex
    known = Run.objects.filter(key=key).first()
    if known is not None:
        return _same(known, macro, fingerprint)
    requested: dict[str, object] = {
        "cause": cause,
        "fingerprint": fingerprint,
        "selection": selection,
    }
    requested |= because.columns() if because else {}
    with transaction.atomic():
        frozen, plan = _frozen(macro)
        if macro.once_per_subject:
            # If two start at once, the second sees what the first has taken.
            Macro.objects.select_for_update(no_key=True).get(pk=macro.pk)
        run = _start(macro, subjects, actor, key, frozen | requested)
        if because is not None:
            because.keep(run, plan)
    return _same(run, macro, fingerprint)


def start_test(
    step: Step,
    subject: Feedback | Tester,
    *,
    actor: Actor,
    echo: bool = False,
    store: bool = False,
) -> Run:
    """Send one step's request for one subject, to see what comes of it.

    Neither the step nor its macro needs to be saved, or to be on. It is a run like any
    other, but tries once, never pauses its macro, and stores return values only with
    `store`. With `echo` nothing is sent: the request comes back as its own response.
    Raises RunRefused, and then nothing is written.
    """
    macro = step.macro
    macro.find_owners()
    if not macro.community.is_unlocked():
        raise RunRefused(_locked(macro))
    snapshot = macro.snapshot([step])
    snapshot |= {"retry_ladder": "", "give_up_after": ""}
    snapshot["test"] = {"echo": echo, "store": store}
    where = "the built-in echo" if echo else "the real destination"
    # The e-mail is the tester's alone, so an erasure finds it.
    label = subject.email if isinstance(subject, Tester) else subject
    values = {
        "cause": Cause.TEST,
        "snapshot": snapshot,
        "origins": _origins(_plan(macro, snapshot)),
        "selection": f"{label}, to {where}",
    }
    subjects: Subjects = type(subject)._default_manager.filter(pk=subject.pk)
    return _start(macro, subjects, actor, uuid.uuid4().hex, values)


def _refuse_if_deleted(macro: Macro) -> None:
    """Much is deleted in steps, and would be added to meanwhile."""
    for owner in (macro.feedback_type, macro.project, macro.community):
        if owner is not None and owner.deleting_since:
            raise RunRefused(f"{owner} is being deleted, so no macro of it runs.")


def _start(
    macro: Macro,
    subjects: Subjects,
    actor: Actor | None,
    key: str,
    values: Mapping[str, object],
) -> Run:
    """The run of this key, which another caller may have made meanwhile."""
    _refuse_if_deleted(macro)
    defaults = {
        **values,
        "community_id": macro.community_id,
        "project_id": macro.project_id,
        "macro": macro if macro.pk else None,
        "macro_name": macro.name,
        "actor": actor if isinstance(actor, User) else None,
        "actor_name": actor.get_username() if actor else "",
        "created_at": timezone.now(),
    }
    with transaction.atomic():
        run, created = Run.objects.get_or_create(key=key, defaults=defaults)
        if created:
            _create_deliveries(run, macro, subjects)
            count = f"{run.total:,} deliver{pluralize(run.total, 'y,ies')}"
            # Not the selection, whose words may name a person: the run has it.
            detail = f"{count}. {run.cause_in_words}."
            about = run.macro or run
            audit.record(Action.RAN, about, actor=actor, run=run, detail=detail)
            if run.state == RunState.ACTIVE:
                transaction.on_commit(lambda: queue.notify(run.pk, run.total))
    return run


def _same(run: Run, macro: Macro, fingerprint: str) -> Run:
    if run.macro_id != macro.pk:
        raise KeyReused("This key was used for a run of another macro.")
    if run.fingerprint != fingerprint:
        raise KeyReused("This key was used for a run on another selection.")
    return run


def _frozen(macro: Macro) -> tuple[dict[str, object], Plan]:
    """The macro as a run keeps it, and its version: nothing was saved in between."""
    # It takes all of `macros.config`, and most workers start no run.
    from ..config import current_number, newest_number

    while True:
        macro.refresh_from_db()
        version = current_number(macro)
        snapshot = _ready_snapshot(macro)
        plan = _plan(macro, snapshot)
        if newest_number(macro) == version:
            frozen: dict[str, object] = {
                "snapshot": snapshot,
                "origins": _origins(plan),
                "macro_version": version,
            }
            return frozen, plan


def _ready_snapshot(macro: Macro) -> dict[str, Any]:
    if not macro.is_active:
        raise RunRefused(f"The macro {macro.name} is off. Switch it on to run it.")
    if macro.paused_reason:
        reason = macro.paused_reason
        raise RunRefused(f"The macro {macro.name} is paused: {reason}")
    snapshot = macro.snapshot()
    if not snapshot["steps"]:
        raise RunRefused(f"The macro {macro.name} {macro.why_idle}")
    if macro.is_locked():
        raise RunRefused(_locked(macro))
    return snapshot


def why_refused(macro: Macro) -> str:
    """Why no run of it would start, whatever is selected; or an empty string."""
    try:
        _refuse_if_deleted(macro)
        _plan(macro, _ready_snapshot(macro))
    except RunRefused as refusal:
        return str(refusal)
    return ""


def _locked(macro: Macro) -> str:
    return (
        f"The macro {macro.name} is locked: the community {macro.community} has no"
        " valid API key. A Community Manager can create one."
    )


def _plan(macro: Macro, snapshot: dict[str, Any]) -> Plan:
    """Raises RunRefused if the steps can't be compiled."""
    try:
        return Plan.from_snapshot(snapshot)
    except TemplateError as error:
        raise RunRefused(f"The macro {macro.name} can't run. {error}") from error


def _origins(plan: Plan) -> list[str]:
    """Where the requests go; empty if a subject's values have a say in that."""
    return sorted(plan.origins or ())


def _create_deliveries(run: Run, macro: Macro, subjects: Subjects) -> None:
    # The selection may be sliced, or joined so that it names a subject twice.
    selected = each_once(subjects).filter(runs_on(macro))
    own = selected if run.is_test else not_run_on(macro, selected, but=run)
    if own is not selected:
        run.left_out = selected.count() - own.count()
    steps = len(run.snapshot["steps"])
    run.total = Delivery.objects.create_for(run, own, steps)
    if not run.total:
        kind = macro.subject_kind.label.lower()
        none = f"No {kind} of {macro.owner} is selected, so nothing was sent."
        raise NothingSelected(nothing_left(macro) if run.left_out else none)
    run.save(update_fields=["total", "left_out"])
