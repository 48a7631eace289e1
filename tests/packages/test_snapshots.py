"""Stored packages: made by workers, given out until the next, gone with a person."""

from __future__ import annotations

import io
import json
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest
import time_machine
from django.conf import settings
from django.db import connection
from django.utils import timezone
from rest_framework.test import APIClient

from feedback.attachments import pruning
from feedback.models import DataPackage, FeedbackType, Snapshot, SnapshotState
from feedback.packages import snapshots
from feedback.packages.tables import Table
from logs.privacy.erasure import erase_tester
from macros import jobs
from tests import factories
from tests.api.callers import problem
from tests.packages.test_reading import content, url_of

pytestmark = pytest.mark.database


@pytest.fixture
def package(bugs: FeedbackType) -> DataPackage:
    return factories.package(
        bugs, "id", "title", "created", refresh_every=60, format="ndjson"
    )


def make(package: DataPackage) -> Snapshot:
    """As the clock and a worker do."""
    for pk in snapshots.due():
        jobs.make_snapshot(pk)
    return package.snapshots.latest("pk")


def files_stored() -> list[Path]:
    folder = Path(settings.PACKAGES_DIR)
    return [path for path in folder.rglob("*") if path.is_file()]


def test_before_the_first_is_made_a_reader_is_told_to_wait(
    package: DataPackage, reader: APIClient
) -> None:
    response = reader.get(url_of(package, "ndjson"))
    refusal = problem(response, 503, "snapshot_not_ready")
    assert response["Retry-After"] == "15"
    assert "is being made. Try again in 15 seconds." in refusal["detail"]
    # It was asked for once, however often it is read.
    problem(reader.get(url_of(package, "ndjson")), 503, "snapshot_not_ready")
    assert package.snapshots.get().state == SnapshotState.WAITING


def test_a_snapshot_is_given_out_until_the_next_is_made(
    bugs: FeedbackType, package: DataPackage, reader: APIClient
) -> None:
    factories.ticket(bugs, title="First")
    made = make(package)
    assert made.state == SnapshotState.READY and made.rows == 1
    factories.ticket(bugs, title="Second")
    first = reader.get(url_of(package, "ndjson"))
    [row] = content(first).splitlines()
    assert json.loads(row)["title"] == "First"
    assert snapshots.due() == []
    with time_machine.travel(timezone.now() + timedelta(minutes=61), tick=False):
        [waiting] = snapshots.due()
        assert snapshots.due() == []  # It was notified of just now.
        again = reader.get(url_of(package, "ndjson"))
        assert content(again).splitlines() == [row]
        jobs.make_snapshot(waiting)
        assert len(content(reader.get(url_of(package, "ndjson"))).splitlines()) == 2


def test_a_stored_file_says_since_when_and_comes_in_parts(
    bugs: FeedbackType, package: DataPackage, reader: APIClient
) -> None:
    factories.ticket(bugs)
    make(package)
    url = url_of(package, "ndjson")
    whole = reader.get(url)
    everything = content(whole)
    assert whole["Accept-Ranges"] == "bytes"
    unchanged = {"If-Modified-Since": whole["Last-Modified"]}
    assert reader.get(url, headers=unchanged).status_code == 304
    unchanged = {"If-None-Match": whole["ETag"]}
    assert reader.get(url, headers=unchanged).status_code == 304
    size = len(everything)
    parts = {"bytes=0-3": (0, 4), "bytes=5-": (5, size), "bytes=-6": (size - 6, size)}
    for asked, (start, end) in parts.items():
        part = reader.get(url, headers={"Range": asked})
        assert part.status_code == 206
        assert part["Content-Range"] == f"bytes {start}-{end - 1}/{size}"
        assert content(part) == everything[start:end]
    for asked in ("bytes=0-1,3-4", "bytes=x", "lines=1-2", "bytes=-"):
        assert content(reader.get(url, headers={"Range": asked})) == everything
    beyond = reader.get(url, headers={"Range": f"bytes={size}-"})
    problem(beyond, 416, "range_not_satisfiable")
    older = {"Range": "bytes=0-3", "If-Range": '"another"'}
    assert reader.get(url, headers=older).status_code == 200


def test_parquet_is_stored(bugs: FeedbackType, reader: APIClient) -> None:
    ticket = factories.ticket(bugs, title="Crash")
    package = factories.package(bugs, "id", "title", refresh_every=60, format="parquet")
    make(package)
    response = reader.get(url_of(package, "parquet"))
    table = pyarrow.parquet.read_table(io.BytesIO(content(response)))
    assert table.to_pylist() == [{"id": ticket.pk, "title": "Crash"}]
    problem(reader.get(url_of(package)), 404, "wrong_format")


def test_a_stored_package_comes_whole(package: DataPackage, reader: APIClient) -> None:
    for name in ("page_size", "cursor", "changed_since"):
        response = reader.get(url_of(package, "ndjson"), {name: "2026-01-01"})
        [fault] = problem(response, 400, "invalid")["errors"]
        assert fault["parameter"] == name


def test_a_package_that_was_changed_does_not_give_out_what_it_was(
    bugs: FeedbackType, package: DataPackage, reader: APIClient
) -> None:
    """A column may have been taken out because it should not be read."""
    factories.ticket(bugs)
    make(package)
    package.columns = ["id"]
    package.full_clean()
    package.save()
    problem(reader.get(url_of(package, "ndjson")), 503, "snapshot_not_ready")
    make(package)
    assert json.loads(content(reader.get(url_of(package, "ndjson")))).keys() == {"id"}


def test_a_filter_that_was_changed_counts_too(
    bugs: FeedbackType, package: DataPackage, reader: APIClient
) -> None:
    saved = factories.saved_filter(bugs)
    package.filter = saved
    package.save()
    make(package)
    assert reader.get(url_of(package, "ndjson")).status_code == 200
    open_ones = {"match": "all", "conditions": [{"field": "open", "qualifier": "yes"}]}
    saved.conditions = open_ones
    saved.save()
    problem(reader.get(url_of(package, "ndjson")), 503, "snapshot_not_ready")


def test_what_failed_says_why_and_is_tried_again_after_the_interval(
    bugs: FeedbackType, package: DataPackage
) -> None:
    package.columns = [*package.columns, {"name": "field_gone", "type": "text"}]
    package.save()
    failed = make(package)
    assert failed.state == SnapshotState.FAILED
    assert "'field_gone' can't be read" in failed.problem
    assert snapshots.due() == []
    with time_machine.travel(timezone.now() + timedelta(minutes=61), tick=False):
        assert len(snapshots.due()) == 1


def test_a_worker_that_died_is_followed_by_another(package: DataPackage) -> None:
    [pk] = snapshots.due()
    Snapshot.objects.update(
        state=SnapshotState.MAKING, deadline=timezone.now() + timedelta(minutes=30)
    )
    assert snapshots.due() == []
    with time_machine.travel(timezone.now() + timedelta(minutes=61), tick=False):
        [another] = snapshots.due()
        assert another != pk
        assert "the worker ended" in Snapshot.objects.get(pk=pk).problem


def test_two_workers_make_it_once(package: DataPackage) -> None:
    [pk] = snapshots.due()
    jobs.make_snapshot(pk)
    first = Snapshot.objects.get().finished_at
    jobs.make_snapshot(pk)
    assert Snapshot.objects.get().finished_at == first


def test_old_ones_go_with_their_files(
    package: DataPackage, django_capture_on_commit_callbacks: Any
) -> None:
    for _ in range(4):
        snapshots.begin(package)
        with django_capture_on_commit_callbacks(execute=True):
            last = make(package)
    assert package.snapshots.count() == snapshots.KEPT
    names = {Path(row.file.path) for row in package.snapshots.all()}
    assert names == {*files_stored()} & names and Path(last.file.path) in names
    former = {path for path in files_stored() if path not in names}
    with django_capture_on_commit_callbacks(execute=True):
        package.delete()
    assert names.isdisjoint(files_stored()) and former == {*files_stored()}


def test_only_the_servers_own_user_can_read_a_file(package: DataPackage) -> None:
    path = Path(make(package).file.path)
    assert path.stat().st_mode & 0o077 == 0
    assert path.parent.stat().st_mode & 0o077 == 0


def test_a_file_without_a_row_is_pruned(
    package: DataPackage, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = Path(make(package).file.path)
    orphan = kept.with_name("orphan")
    orphan.write_bytes(b"x")
    folder = str(kept.parent.relative_to(settings.PACKAGES_DIR))
    assert pruning.SNAPSHOTS.prune_folder(folder) == 0
    monkeypatch.setattr(pruning, "GRACE", timedelta(0))
    assert pruning.SNAPSHOTS.prune_folder(folder) >= 1
    assert kept.exists() and not orphan.exists()


def test_an_erasure_removes_the_snapshots_of_the_community(
    bugs: FeedbackType,
    package: DataPackage,
    reader: APIClient,
    django_capture_on_commit_callbacks: Any,
) -> None:
    tara = factories.tester(bugs)
    factories.ticket(bugs, title="By Tara", submitter=tara)
    path = Path(make(package).file.path)
    ideas = factories.package(
        factories.feedback_type("Ideas", "IDEA"), "id", refresh_every=60
    )
    other = make(ideas)
    with django_capture_on_commit_callbacks(execute=True):
        erase_tester(tara, None)
    assert not path.exists() and not package.snapshots.exists()
    assert [*ideas.snapshots.all()] == [other]
    problem(reader.get(url_of(package, "ndjson")), 503, "snapshot_not_ready")


def test_what_was_read_before_an_erasure_is_thrown_away(
    bugs: FeedbackType, package: DataPackage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker has read the rows; the erasure ends before it writes them down."""
    tara = factories.tester(bugs)
    factories.ticket(bugs, submitter=tara)
    before = files_stored()
    values = Table.values

    def erased_meanwhile(table: Table) -> Any:
        yield from [*values(table)]
        erase_tester(tara, None)

    monkeypatch.setattr(Table, "values", erased_meanwhile)
    package.format = "parquet"  # Which Python writes on both databases.
    package.save()
    [pk] = snapshots.due()
    jobs.make_snapshot(pk)
    assert not Snapshot.objects.exists()
    assert files_stored() == before


@pytest.mark.django_db(transaction=True)
def test_a_reader_of_one_byte_a_second_holds_no_connection(
    bugs: FeedbackType, reader: APIClient
) -> None:
    """All is read from the database before the first byte is sent."""
    package = factories.package(bugs, "id", "title")
    factories.ticket(bugs)
    states: list[Any] = []

    def read() -> None:
        response: Any = reader.get(url_of(package))
        sent = iter(response.streaming_content)
        next(sent)
        states.append(connection.connection)  # This thread's, which reads on slowly.
        response.close()

    thread = threading.Thread(target=read)
    thread.start()
    thread.join()
    assert states == [None]
