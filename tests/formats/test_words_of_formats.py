"""What each format may say: an older version does not know the words of a newer one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from inspect import isfunction, signature
from pathlib import Path
from typing import Any

import pytest

from feedback import formats
from feedback.models import FeedbackType
from macros import jobs
from macros.models import Macro, step_kinds
from macros.steps.rendering import Plan
from macros.tags.catalogue import CATALOGUES
from macros.tags.filters import FILTERS
from macros.tags.namespaces import NAMESPACES
from tests import factories

HERE = Path(__file__).parent
RAISE = (
    "An older version can't read this. Raise the number in feedback.formats, and list"
    " the new words under it in tests/formats/words.txt."
)
GONE = "Runs that were started before have these words: go on reading them."


def listed(name: str) -> dict[str, int]:
    """The words of RUN or JOB, each with the format that brought it."""
    lines = (HERE / "words.txt").read_text().splitlines()
    rows = [line.split(" ", 2) for line in lines]
    return {word: int(number) for kind, number, word in rows if kind == name}


def words_of_runs(macro: Macro) -> Iterator[str]:
    yield from (f"member {name}" for name in macro.snapshot())
    ours = (each for each in step_kinds().values() if each.__module__[:7] == "macros.")
    for model in ours:
        yield f"step {model.kind}"
        yield from (f"setting {model.kind}.{name}" for name in model.SETTINGS)
    for subject, tags in CATALOGUES.items():
        yield from (f"tag {subject} {tag.name}" for tag in tags.values())
    yield from (f"namespace {each.name}" for each in NAMESPACES.values())
    yield from (f"filter {name}" for name in FILTERS)


def words_of_jobs() -> Iterator[str]:
    """The functions that take the key of a row, with the number of what they take."""
    for name, each in vars(jobs).items():
        is_ours = isfunction(each) and each.__module__ == jobs.__name__
        count = len(signature(each).parameters) if is_ours else 0
        if count and not name.startswith("_"):
            yield f"{name} {count}"


@pytest.mark.django_db
def test_a_run_says_nothing_that_its_format_does_not_have() -> None:
    macro = factories.macro(factories.feedback_type(), "https://a.example/")
    now, known = {*words_of_runs(macro)}, listed("RUN")
    assert sorted(now - known.keys()) == [], RAISE
    assert sorted(known.keys() - now) == [], GONE
    assert max(known.values()) == formats.RUN


def test_a_job_is_one_that_its_format_has() -> None:
    now, known = {*words_of_jobs()}, listed("JOB")
    assert sorted(now - known.keys()) == [], RAISE
    assert sorted(known.keys() - now) == [], GONE
    assert max(known.values()) == formats.JOB


def owned_by(bugs: FeedbackType, snapshot: dict[str, Any]) -> dict[str, Any]:
    return {
        **snapshot,
        "community": bugs.project.community_id,
        "project": bugs.project_id,
    }


@pytest.mark.django_db
@pytest.mark.parametrize("path", sorted(HERE.glob("run_*.json")), ids=lambda p: p.stem)
def test_a_run_of_each_format_is_read_for_ever(path: Path) -> None:
    """Written by the version that brought the format; nobody edits them."""
    bugs = factories.feedback_type()
    factories.secret(bugs, "slack_url")
    snapshot = json.loads(path.read_text())
    plan = Plan.from_snapshot(owned_by(bugs, snapshot))
    assert len(plan.steps) == len(snapshot["steps"])


def test_there_is_a_run_of_each_format_with_every_step_that_it_has() -> None:
    runs = {path.stem: json.loads(path.read_text()) for path in HERE.glob("run_*.json")}
    assert runs.keys() == {f"run_{each}" for each in range(1, formats.RUN + 1)}
    steps = [step["kind"] for run in runs.values() for step in run["steps"]]
    known = {word.partition(" ")[2] for word in listed("RUN") if word[:5] == "step "}
    assert {*steps} == known
