"""What another version has stored: older is read, newer is left, rubbish is refused."""

from __future__ import annotations

import json
import logging
from typing import Any

import django_rq
import pytest
from django.test import Client
from django.utils import timezone
from rq.registry import FailedJobRegistry

from centerhook.receiver import Receiver
from feedback import formats
from feedback.access.roles import Role
from feedback.formats import NewerFormat, UnknownFormat, check, is_readable
from feedback.models import (
    DataPackage,
    Feedback,
    FeedbackType,
    ImportState,
    Snapshot,
    SnapshotState,
    StoredResponse,
)
from feedback.transfer import imports
from logs.models import Attempt, Delivery, Destination, Resend, Run, Transcript
from macros import config, deliveries, jobs, queue
from macros.runs.control import cancel_run
from macros.runs.resend import preview_resend, resend
from macros.runs.resend_sample import sample_of
from macros.worker import DeliveryWorker
from tests import factories
from tests.api.callers import issue_key, problem, program

OLDER = [None, 1]
NEWER = [2, 10**30]
RUBBISH: list[object] = ["", "1", 0, -1, True, 1.0, [], {}]
ALL_DUE = ("active", 0, 0)

pytestmark = pytest.mark.django_db


@pytest.fixture
def bugs() -> FeedbackType:
    return factories.feedback_type()


def a_run(bugs: FeedbackType, receiver: Receiver, written: object) -> Run:
    factories.ticket(bugs)
    run = factories.run(factories.macro(bugs, f"{receiver.url}/ok"))
    run.snapshot["format"] = written
    if written is None:
        del run.snapshot["format"]
    run.save()
    return run


def outcome(run: Run) -> tuple[str, int, int]:
    run.refresh_from_db()
    return run.state, run.delivered, run.failed


def test_a_number_is_read_up_to_what_is_known() -> None:
    assert [check(each, 1, "The run") for each in OLDER] == [1, 1]
    for number in NEWER:
        with pytest.raises(NewerFormat, match=f"format {number}, and this one reads"):
            check(number, 1, "The run")
    for rubbish in RUBBISH:
        with pytest.raises(UnknownFormat):
            check(rubbish, 1, "The run")
    readable = [*OLDER, *NEWER, *RUBBISH]
    assert [each for each in readable if is_readable(each, 1)] == OLDER


def test_what_is_written_says_its_format(bugs: FeedbackType) -> None:
    factories.ticket(bugs)
    run = factories.run(factories.macro(bugs, "https://a.example/"))
    assert run.snapshot["format"] == formats.RUN
    queue.notify(run.pk)
    [job] = django_rq.get_queue(queue.QUEUE).get_jobs()
    assert job.meta == {"format": formats.JOB}


@pytest.mark.parametrize("written", OLDER)
def test_a_run_of_an_older_version_is_delivered(
    bugs: FeedbackType, receiver: Receiver, written: object
) -> None:
    run = a_run(bugs, receiver, written)
    deliveries.work(run.pk)
    assert outcome(run) == ("finished", 1, 0)


@pytest.mark.parametrize("written", NEWER)
def test_a_run_of_a_newer_version_waits_for_a_worker_of_it(
    bugs: FeedbackType,
    receiver: Receiver,
    caplog: pytest.LogCaptureFixture,
    written: object,
) -> None:
    run = a_run(bugs, receiver, written)
    engine = deliveries.Engine()
    for _ in range(3):
        engine.drain(run.pk)
    engine.close()
    assert outcome(run) == ALL_DUE
    assert not Attempt.objects.exists() and not receiver.ids
    assert not Delivery.objects.exclude(lease="", attempts=0).exists()
    [warning] = [each for each in caplog.messages if "newer version" in each]
    assert f"Run {run.pk} waits" in warning
    # A worker that reads it takes it.
    run.snapshot["format"] = formats.RUN
    run.save()
    deliveries.work(run.pk)
    assert outcome(run) == ("finished", 1, 0)


@pytest.mark.parametrize("written", RUBBISH)
def test_a_run_that_no_version_has_written_fails_with_a_sentence(
    bugs: FeedbackType, receiver: Receiver, written: object
) -> None:
    run = a_run(bugs, receiver, written)
    deliveries.work(run.pk)
    assert outcome(run) == ("finished", 0, 1)
    assert "could not be read" in Attempt.objects.get().message
    assert not receiver.ids


@pytest.mark.parametrize("written", [*NEWER, *RUBBISH])
def test_the_clock_and_people_pass_a_run_that_can_t_be_read(
    bugs: FeedbackType, receiver: Receiver, written: object
) -> None:
    """Its destination rests, so the clock looks at what the run does; then a resend."""
    run = a_run(bugs, receiver, written)
    run.snapshot = {"format": written, "steps": {"in": "another shape"}}
    run.save()
    Destination.objects.create(
        community=run.community, origin=run.origins[0], is_paused=True
    )
    jobs.wake()
    assert outcome(run) == ALL_DUE
    cancel_run(run)
    assert outcome(run)[0] == "cancelled"
    olivia = factories.superuser()
    assert preview_resend(run.deliveries.all(), Resend.ANEW, olivia).count == 1
    sample = sample_of(run.deliveries.all(), Resend.ANEW, olivia)
    assert sample is not None and sample.request.error
    resend(run.deliveries.all(), Resend.ANEW, olivia)


@pytest.mark.parametrize(("written", "is_said"), [(1, False), (2, True)])
def test_the_page_of_a_run_says_what_it_waits_for(
    bugs: FeedbackType, receiver: Receiver, written: int, is_said: bool
) -> None:
    run = a_run(bugs, receiver, written)
    client = Client()
    client.force_login(factories.member(bugs, Role.OBSERVER, "oscar"))
    html = client.get(f"/admin/logs/run/{run.pk}/change/").content.decode()
    assert ("waits for a worker of that version" in html) is is_said


class DeafWorker(DeliveryWorker):
    """Takes no commands: the thread that waits for them takes a second to end."""

    def subscribe(self) -> None:
        pass

    def unsubscribe(self) -> None:
        pass


@pytest.mark.parametrize(
    ("meta", "is_done"),
    [
        *[({}, True), ({"format": 1}, True)],
        *[({"format": each}, False) for each in [*NEWER, *RUBBISH]],
    ],
)
def test_a_job_of_a_newer_version_is_left_and_none_fails(
    bugs: FeedbackType, receiver: Receiver, meta: dict[str, Any], is_done: bool
) -> None:
    run = a_run(bugs, receiver, None)
    line = django_rq.get_queue(queue.QUEUE)
    line.empty()
    job = "macros.jobs.deliver" if is_done else "macros.jobs.of_another_version"
    line.enqueue(job, run.pk, meta=meta, result_ttl=0)
    worker = DeafWorker([line], connection=line.connection)
    worker.work(burst=True, logging_level="ERROR")
    logging.getLogger("rq.worker").setLevel(logging.NOTSET)
    assert (outcome(run) == ("finished", 1, 0)) is is_done
    assert FailedJobRegistry(queue=line).count == line.count == 0
    assert is_done or run.deliveries.get().attempts == 0


@pytest.fixture
def ticket(bugs: FeedbackType) -> Feedback:
    return factories.ticket(bugs)


def sent_parts(bugs: FeedbackType, receiver: Receiver) -> tuple[Run, Any]:
    options: dict[str, Any] = {"body_kind": "multipart", "body": "comment=((Title))"}
    run = factories.run(factories.macro(bugs, f"{receiver.url}/ok", **options))
    deliveries.work(run.pk)
    resend(run.deliveries.all(), Resend.SAME, factories.superuser())
    return run, json.loads(logged(run))


def logged(run: Run) -> str:
    return Transcript.objects.get(delivery__run=run, number=1).request_body


def rewrite(run: Run, written: object) -> None:
    rows = Transcript.objects.filter(delivery__run=run)
    rows.update(request_body=json.dumps(written))


def test_the_parts_of_a_request_that_is_sent_again(
    ticket: Feedback, bugs: FeedbackType, receiver: Receiver
) -> None:
    run, parts = sent_parts(bugs, receiver)
    assert isinstance(parts, list), "the first format is a plain list"
    rewrite(run, {"format": 2, "pieces": parts})
    deliveries.work(run.pk)
    delivery = run.deliveries.get()
    assert (delivery.state, delivery.lease) == ("pending", "")
    assert delivery.attempt_log.count() == 1
    assert sum(receiver.ids.values()) == 1
    rewrite(run, parts)
    run.deliveries.update(next_attempt_at=timezone.now())
    deliveries.work(run.pk)
    assert run.deliveries.get().state == "delivered"
    assert sum(receiver.ids.values()) == 2


@pytest.mark.parametrize("written", [{"format": "x"}, [1], ["name"], "text", None, 7])
def test_parts_that_nobody_has_written_are_refused(
    ticket: Feedback, bugs: FeedbackType, receiver: Receiver, written: object
) -> None:
    run, _ = sent_parts(bugs, receiver)
    rewrite(run, written)
    deliveries.work(run.pk)
    assert run.deliveries.get().state == "failed"
    last = Attempt.objects.filter(delivery__run=run).latest("pk")
    assert last.message.startswith("The request on the log can't be read any more.")


def test_an_import_of_a_newer_version_waits(bugs: FeedbackType) -> None:
    made = factories.ticket_import(bugs)
    made.refresh_from_db()
    assert made.format == formats.IMPORT
    made.format = formats.IMPORT + 1
    made.state = ImportState.IMPORTING
    made.save()
    made.parts.update(is_done=False)
    assert imports.due() == [made.pk], "who can read it is notified"
    assert not imports.work(made.pk, 1.0)
    for state in (ImportState.IMPORTING, ImportState.READING):
        type(made).objects.update(state=state)
        imports.finish(made)
        assert (made.state, made.position, made.rows) == (state, 0, 1)
    type(made).objects.update(format=formats.IMPORT, state=ImportState.IMPORTING)
    imports.finish(made)
    assert (made.state, made.position) == (ImportState.DONE, 1)


def test_a_package_is_made_by_a_worker_of_the_version_that_was_asked(
    bugs: FeedbackType,
) -> None:
    package: DataPackage = factories.package(bugs, "id", refresh_every=60)
    made = Snapshot.objects.create(
        package=package, format=package.format, format_version=formats.PACKAGE_FILE + 1
    )
    jobs.make_snapshot(made.pk)
    made.refresh_from_db()
    assert made.state == SnapshotState.WAITING
    Snapshot.objects.update(format_version=formats.PACKAGE_FILE)
    jobs.make_snapshot(made.pk)
    made.refresh_from_db()
    assert made.state == SnapshotState.READY


@pytest.mark.parametrize("written", [0, 2])
def test_a_kept_response_of_another_version_is_given_by_that(
    bugs: FeedbackType, written: int
) -> None:
    caller = program(issue_key(bugs, "Vault", scope_secrets=True))
    sent = {"name": "Slack", "value": "xoxb-0123456789"}

    def send() -> Any:
        key = {"idempotency-key": "one"}
        return caller.post("/api/v1/secrets/", sent, headers=key)

    first = send()
    assert StoredResponse.objects.get().format == formats.RESPONSE
    StoredResponse.objects.update(format=written)
    refused = send()
    detail = problem(refused, 503, "response_newer")["detail"]
    assert "work of this call was done" in detail
    assert refused["Retry-After"] == "5"
    StoredResponse.objects.update(format=formats.RESPONSE)
    assert send().json() == first.json()


@pytest.mark.parametrize("number", [formats.CONFIG_FILE + 1, None, "1", 0, True])
def test_a_file_of_another_format_is_refused(
    bugs: FeedbackType, number: object
) -> None:
    document = config.export_project(bugs.project)
    assert document["centerhook"] == {"format": formats.CONFIG_FILE}
    document["centerhook"]["format"] = number
    with pytest.raises(config.ConfigRefused) as refusal:
        config.import_document(document, bugs.project)
    newer = "Update CenterHook" in str(refusal.value)
    assert newer is (number == formats.CONFIG_FILE + 1)


def test_a_version_of_a_macro_by_a_newer_version_is_refused_by_its_member(
    bugs: FeedbackType,
) -> None:
    macro = factories.macro(bugs, "https://a.example/")
    version = config.note_version(macro)
    version.document["steps"][0]["colour"] = "red"
    with pytest.raises(config.ConfigRefused, match="Unknown member"):
        config.restore(version, factories.superuser())
