"""A client that a public generator makes of the schema does the ten commonest tasks."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from pytest_django.live_server_helper import LiveServer

from tests.api.tasks import CHECKS, Ground

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.sweep]

ROOT = Path(__file__).resolve().parents[2]
NAME = "centerhook_client"
Client = Any


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    folder = tmp_path_factory.mktemp("generated")
    command = [
        *(sys.executable, "-m", "openapi_python_client", "generate"),
        *("--path", str(ROOT / "docs" / "openapi.json"), "--meta", "none"),
        *("--output-path", str(folder / NAME), "--fail-on-warning"),
    ]
    # It formats what it made with ruff, which has nothing to do with what is tried.
    config = folder / "config.yaml"
    config.write_text("post_hooks: []\n")
    done = subprocess.run(
        [*command, "--config", str(config)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    sys.path.insert(0, str(folder))
    yield
    sys.path.remove(str(folder))
    for name in [each for each in sys.modules if each.partition(".")[0] == NAME]:
        del sys.modules[name]


def module(name: str) -> ModuleType:
    return importlib.import_module(f"{NAME}.{name}")


def call(operation: str, *ids: int, client: Client, **given: Any) -> Any:
    """What the operation's function gives; its responses may not be errors."""
    room = operation.partition("_")[0]
    response = module(f"api.{room}.{operation}").sync_detailed(
        *ids, client=client, **given
    )
    assert response.status_code < 300, response.content
    return response.parsed


def body(name: str, **members: Any) -> Any:
    made = getattr(module("models"), name)
    return made.from_dict(members)


def find(client: Client, ground: Ground) -> None:
    page = call(
        "feedback_list",
        client=client,
        open_=module("models").FeedbackListOpen("true"),
        type_=["Bug Report"],
    )
    assert [row.id for row in page.results] == [ground.ticket.pk]
    assert page.results[0].type_.name == "Bug Report"


def make(client: Client, ground: Ground) -> None:
    form = {"severity": "Major"}
    given = {"type": ground.type.pk, "title": "It breaks", "form_values": form}
    made = call(
        "feedback_create",
        client=client,
        body=body("FeedbackCreateBody", **given),
        idempotency_key="one",
    )
    assert made.title == "It breaks"


def change(client: Client, ground: Ground) -> None:
    read = module("api.feedback.feedback_retrieve").sync_detailed(
        ground.ticket.pk, client=client
    )
    changed = call(
        "feedback_partial_update",
        ground.ticket.pk,
        client=client,
        body=body("FeedbackPartialUpdateBody", status="Closed"),
        if_match=read.headers["ETag"],
    )
    assert changed.status.name == "Closed"


def change_many(client: Client, ground: Ground) -> None:
    rows = [
        {"type": ground.type.pk, "title": "First"},
        {"id": ground.ticket.pk, "title": "Again"},
    ]
    done = call(
        "feedback_batch_create",
        client=client,
        body=body("TicketBatchRequest", tickets=rows),
    )
    assert (done.created, done.updated, done.refused) == (1, 1, 0)


def comment(client: Client, ground: Ground) -> None:
    given = {"feedback": ground.ticket.pk, "text": "Fixed in 4.2."}
    call("comments_create", client=client, body=body("CommentRequest", **given))


def attach(client: Client, ground: Ground) -> None:
    file = module("types").File(
        payload=BytesIO(b"What I saw.\n"), file_name="notes.txt", mime_type="text/plain"
    )
    files = module("models").FeedbackAttachmentsCreateBody(file=[file])
    call("feedback_attachments_create", ground.ticket.pk, client=client, body=files)


def bring_testers(client: Client, ground: Ground) -> None:
    rows = [{"email": "ada@example.com", "city": "London", "country": "GB"}]
    call(
        "testers_batch_create",
        client=client,
        body=body("TesterBatchRequest", testers=rows),
    )


def perform(client: Client, ground: Ground) -> None:
    asked = body("RunStartRequest", filter={"open": True})
    dry_run = call("macros_dry_run_create", ground.macro.pk, client=client, body=asked)
    assert (dry_run.count, dry_run.blockers) == (1, [])
    run = call("macros_runs_create", ground.macro.pk, client=client, body=asked)
    assert run.counts.total == 1


def follow(client: Client, ground: Ground) -> None:
    run = call("runs_retrieve", ground.run.pk, client=client)
    assert run.is_settled and run.counts.failed == 1
    failed = module("models").DeliveriesListState.FAILED
    page = call("deliveries_list", client=client, run=run.id, state=failed)
    read = call("deliveries_retrieve", page.results[0].id, client=client)
    assert read.attempt_log[0].status == 404


def resend(client: Client, ground: Ground) -> None:
    pk = ground.run.pk
    asked = body("ResendSelectionRequest", kind="anew")
    counted = call("runs_resend_count_create", pk, client=client, body=asked)
    given = {"kind": "anew", "confirmed": counted.confirmed}
    sent = call(
        "runs_resend_create",
        pk,
        client=client,
        body=body("ResendRequest", **given),
    )
    assert sent.count == 1


TASKS: dict[str, Callable[[Client, Ground], None]] = dict(
    zip(
        CHECKS,
        (
            *(find, make, change, change_many, comment),
            *(attach, bring_testers, perform, follow, resend),
        ),
        strict=True,
    )
)


@pytest.mark.parametrize("task", TASKS)
def test_a_generated_client_does_a_task(
    package: None, live_server: LiveServer, task: str
) -> None:
    ground = Ground.build()
    client = module("client").AuthenticatedClient(live_server.url, ground.token)
    TASKS[task](client, ground)
    assert CHECKS[task](ground)
