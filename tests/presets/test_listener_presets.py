"""Every example call of every listener preset comes to the outcome that it states.

A call goes through the real door, as its sender would send it, and then to the worker.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import time_machine
import yaml
from django.test import Client

from feedback.models import ApiKey, Feedback, FeedbackType, Status, Tester
from macros.listeners import work
from macros.listeners.presets import (
    FOLDER,
    NewListener,
    all_presets,
    create_listener,
)
from macros.models import InboundEvent, Listener
from tests import factories
from tests.presets.listener_table import rows

SECRET = "an-example-secret"
Example = dict[str, Any]


def paths() -> list[Path]:
    return sorted(FOLDER.glob("*/examples/*.yaml"))


def named(path: Path) -> str:
    return f"{path.parent.parent.name}: {path.stem}"


@pytest.mark.django_db
@pytest.mark.parametrize("path", paths(), ids=named)
def test_an_example_comes_to_its_outcome(client: Client, path: Path) -> None:
    example: Example = yaml.safe_load(path.read_text("utf-8"))
    case = Case(path.parent.parent.name, example)
    with time_machine.travel(datetime.fromisoformat(example["now"]), tick=False):
        response = case.call(client)
        work.hear(case.listener.pk)
    expected = example["response"]
    assert response.status_code == expected["status"], response.content
    if "body" in expected:
        assert response.content.decode() == expected["body"]
        assert response["Content-Type"] == expected["content_type"]
    assert list(case.events()) == example["events"]
    assert list(case.states()) == example["after"]


class Case:
    """The listener of a preset, and the records of an example."""

    def __init__(self, preset: str, example: Example) -> None:
        self.example = example
        self.bugs = factories.feedback_type()
        Status.objects.create(feedback_type=self.bugs, name="In progress", position=3)
        self.key, self.token = factories.api_key(
            self.bugs.project.community, scope_listener=True
        )
        self.is_for_testers = all_presets()[preset].subject_kind == "tester"
        self.listener = made_from(preset, self.bugs, example)
        self.records = [self._record(each) for each in example["records"]]

    def _record(self, data: Example) -> Feedback | Tester:
        if self.is_for_testers:
            return factories.tester(self.bugs, data["email"])
        status = self.bugs.statuses.get(name=data["status"])
        external = data.get("external", {})
        return factories.ticket(self.bugs, status=status, external_data=external)

    def call(self, client: Client) -> Any:
        call = self.example["call"]
        basic = b64encode(f"any:{self.token}".encode()).decode()

        def filled(text: str) -> str:
            return text.replace("[[token]]", self.token).replace("[[basic]]", basic)

        headers = {name: filled(value) for name, value in call["headers"].items()}
        query = filled(call.get("query", ""))
        kind = headers.pop("Content-Type")
        return client.generic(
            call.get("method", "POST"),
            f"/hooks/{self.listener.key}/?{query}".rstrip("?"),
            call["body"].encode(),
            kind,
            headers=headers,
        )

    def events(self) -> Iterator[Example]:
        pks = [record.pk for record in self.records]
        for event in InboundEvent.objects.order_by("pk"):
            row: Example = {"outcome": event.outcome}
            row |= {"name": event.name} if event.name else {}
            record = event.tester_id if self.is_for_testers else event.feedback_id
            yield row | ({"record": pks.index(record)} if record in pks else {})

    def states(self) -> Iterator[Example]:
        model: Any = Tester if self.is_for_testers else Feedback
        rows = list(model.objects.order_by("pk"))
        assert len(rows) == len(self.example["after"])
        for row, expected in zip(rows, self.example["after"], strict=True):
            yield {name: _READ[name](row) for name in expected}


_READ: dict[str, Any] = {
    "status": lambda row: row.status.name,
    "comments": lambda row: [each.text for each in row.comments.order_by("pk")],
    "external": lambda row: row.external_data,
    "title": lambda row: row.title,
    "description": lambda row: row.description,
}


def made_from(preset_id: str, bugs: FeedbackType, example: Example) -> Listener:
    preset = all_presets()[preset_id]
    settings = {each.key: each.default_for(bugs) for each in preset.settings}
    for name in example.get("settings", {}):
        assert name in settings, "not asked for"
    is_for_testers = preset.subject_kind == "tester"
    new = NewListener(
        preset,
        bugs.project.community if is_for_testers else bugs,
        preset.title,
        settings | example.get("settings", {}),
        preset.secret.name if preset.secret else "",
        example.get("secret", SECRET),
    )
    return create_listener(new, None)


def test_every_preset_has_examples_that_act_and_that_are_refused() -> None:
    stated: dict[str, list[Example]] = {each: [] for each in all_presets()}
    for path in paths():
        stated[path.parent.parent.name].append(yaml.safe_load(path.read_text("utf-8")))
    for preset, examples in stated.items():
        outcomes = [row["outcome"] for each in examples for row in each["events"]]
        assert "acted" in outcomes, f"{preset}: no example that acts"
        if preset != "jira-comments":  # As jira is.
            statuses = [each["response"]["status"] for each in examples]
            assert max(statuses) >= 400, f"{preset}: none that is refused"


def test_every_preset_says_all_of_itself() -> None:
    assert len(all_presets()) >= 13
    for preset in all_presets().values():
        assert preset.documentation.startswith("https://")
        assert preset.summary.endswith(".") and len(preset.set_up) > 1
        text = (FOLDER / preset.id / "preset.yaml").read_text("utf-8")
        for each in preset.settings:
            assert f"[[{each.key}]]" in text, f"{preset.id}: {each.key} goes nowhere"
        signed = {each["scheme"] for each in preset.listener["checks"]} != {"api_key"}
        assert signed is (preset.secret is not None)


@pytest.mark.django_db
def test_a_key_of_another_scope_lets_nobody_in(client: Client) -> None:
    example = yaml.safe_load((FOLDER / "any-json/examples/comment.yaml").read_text())
    case = Case("any-json", example)
    ApiKey.objects.update(scope_listener=False)
    with time_machine.travel(datetime.fromisoformat(example["now"]), tick=False):
        assert case.call(client).status_code in (401, 403)
    assert not InboundEvent.objects.exists()


def test_the_table_of_the_documentation_is_in_step() -> None:
    text = (FOLDER.parents[3] / "docs" / "presets.md").read_text("utf-8")
    section = text.partition("## Presets for listeners")[2]
    assert re.findall(r"^\| \[.*$", section, re.MULTILINE) == list(rows())
