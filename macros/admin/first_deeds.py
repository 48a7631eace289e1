"""What the button of each first step does, by the doors that the other pages use."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from feedback.access.actors import may
from feedback.access.roles import RUN_MACRO
from feedback.models import ApiKey, Community, Project
from feedback.selection.confirmed import digest_of
from logs.models import Cause

from ..config import ConfigRefused
from ..first_steps.samples import add_samples
from ..first_steps.starters import all_starters, start_type
from ..first_steps.way import FirstStep, Way
from ..runs import RunRefused, start_run, start_test
from .adding import add_row

KEY_NAME = "First key"


class StepRefused(Exception):
    """Why nothing was done, in sentences for the step's own screen."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__(problems)
        self.problems = list(problems)


def _add(request: HttpRequest, model: type[Model], values: Mapping[str, object]) -> Any:
    row, form = add_row(request, model, values)
    if row is None:
        raise StepRefused(_sentences(form))
    return row


def _sentences(form: ModelForm) -> list[str]:
    return [str(message) for each in form.errors.values() for message in each]


def name_community(request: HttpRequest, way: Way) -> None:
    if FirstStep.COMMUNITY not in way.done:
        _add(request, Community, {"name": request.POST.get("name", "")})


def create_key(request: HttpRequest, way: Way) -> str:
    """The new key's token; no second key where a form is sent twice."""
    if FirstStep.KEY in way.done:
        return ""
    values = {"community": _pk(way.community), "name": KEY_NAME, "scope_read": True}
    key = _add(request, ApiKey, values)
    return str(key.fresh_token)


def name_project(request: HttpRequest, way: Way) -> None:
    if FirstStep.PROJECT not in way.done:
        name = request.POST.get("name", "")
        _add(request, Project, {"community": _pk(way.community), "name": name})


def choose_type(request: HttpRequest, way: Way) -> None:
    starter = all_starters().get(request.POST.get("starter", ""))
    if starter is None:
        raise StepRefused(["Choose one of them."])
    assert way.project is not None  # noqa: S101 - or the step was not open
    _require(request, "feedback.add_feedbacktype", way.project)
    try:
        start_type(starter, way.project, request.user)
    except ConfigRefused as refusal:
        raise StepRefused(refusal.problems) from None


def get_samples(request: HttpRequest, way: Way) -> None:
    assert way.kind is not None  # noqa: S101 - or the step was not open
    _require(request, "feedback.add_feedback", way.kind)
    if not way.tickets.filter(is_sample=True).exists():
        made = add_samples(way.kind)
        text = f"{len(made)} sample tickets are there. You can remove them at any time."
        messages.success(request, text)


def test_send(request: HttpRequest, way: Way) -> HttpResponse:
    """To the built-in echo; the next screen shows what came back."""
    step, ticket = way.request, way.tickets.first()
    assert step is not None and ticket is not None  # noqa: S101 - as above
    _require(request, RUN_MACRO, step.macro)
    try:
        start_test(step, ticket, actor=request.user, echo=True)
    except RunRefused as refusal:
        raise StepRefused([str(refusal)]) from None
    return redirect("admin:first_steps_step", FirstStep.PERFORM)


def perform(request: HttpRequest, way: Way) -> HttpResponse:
    """The run, on the tickets that the screen showed; its key makes it one run."""
    assert way.macro is not None  # noqa: S101 - or the step was not open
    _require(request, RUN_MACRO, way.macro)
    tickets = way.first_tickets
    if request.POST.get("digest") != digest_of(tickets):
        raise StepRefused(["Other tickets have come meanwhile. Please look again."])
    try:
        run = start_run(
            way.macro,
            tickets,
            cause=Cause.ACTION,
            actor=request.user,
            key=_key(request.POST.get("run_key", "")),
            selection=f"the newest tickets of {way.kind}: first steps",
        )
    except RunRefused as refusal:
        raise StepRefused([str(refusal)]) from None
    return redirect("admin:logs_run_change", run.pk)


def _key(given: str) -> str:
    try:
        return uuid.UUID(hex=given).hex
    except ValueError:
        return ""


def _require(request: HttpRequest, permission: str, row: Model) -> None:
    if not may(request.user, permission, row):
        raise PermissionDenied


def _pk(row: Model | None) -> object:
    return row and row.pk


DEEDS: Mapping[FirstStep, Callable[[HttpRequest, Way], HttpResponse | str | None]] = {
    FirstStep.COMMUNITY: name_community,
    FirstStep.KEY: create_key,
    FirstStep.PROJECT: name_project,
    FirstStep.TYPE: choose_type,
    FirstStep.TICKETS: get_samples,
    FirstStep.TEST: test_send,
    FirstStep.PERFORM: perform,
}
