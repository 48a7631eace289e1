"""Packages over HTTP: who may read them, in which format, whole or in part."""

from __future__ import annotations

import gzip
import json
from base64 import b64encode
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core import signing
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from feedback.access.roles import Role
from feedback.models import ApiKey, DataPackage, Feedback, FeedbackType, Project
from logs.models import AuditEntry
from tests import factories
from tests.api.callers import issue_key, person, problem, program
from tests.security.test_query_deadline import slow

pytestmark = pytest.mark.database


@pytest.fixture
def package(bugs: FeedbackType) -> DataPackage:
    return factories.package(bugs, "id", "title", "field_impact", key="open-bugs")


def url_of(package: DataPackage, form: str = "csv") -> str:
    return f"/data/{package.community_id}/{package.key}.{form}"


def content(response: Any) -> bytes:
    assert response.status_code in (200, 206), response.json()
    return b"".join(response.streaming_content)


def tickets(bugs: FeedbackType, count: int) -> list[Feedback]:
    return [factories.ticket(bugs, title=f"No. {each}") for each in range(count)]


def test_rows_come_in_the_format_that_the_url_names(
    bugs: FeedbackType, package: DataPackage, reader: APIClient
) -> None:
    [ticket] = tickets(bugs, 1)
    response = reader.get(url_of(package))
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    rows = content(response)
    assert rows == f"id,title,field_impact\n{ticket.pk},No. 0,\n".encode()
    assert response["Content-Length"] == str(len(rows))
    row = {"id": ticket.pk, "title": "No. 0", "field_impact": None}
    response = reader.get(url_of(package, "json"))
    assert response["Content-Type"] == "application/json"
    assert json.loads(content(response)) == [row]
    response = reader.get(url_of(package, "ndjson"))
    assert response["Content-Type"] == "application/x-ndjson"
    assert json.loads(content(response)) == row


@pytest.mark.parametrize("where", ["bearer", "header", "basic", "user name", "query"])
def test_the_key_may_be_where_tools_can_put_it(
    package: DataPackage, token: str, where: str
) -> None:
    query, headers = {}, {}
    if where == "query":
        query = {"api_key": token}
    elif where == "header":
        headers = {"X-Api-Key": token}
    elif where == "bearer":
        headers = {"Authorization": f"Bearer {token}"}
    else:
        pair = f"{token}:" if where == "user name" else f"anybody:{token}"
        headers = {"Authorization": f"Basic {b64encode(pair.encode()).decode()}"}
    response = Client().get(url_of(package), query, headers=headers)
    assert content(response) == b"id,title,field_impact\n"


@pytest.mark.parametrize(
    "header",
    ["", "Basic", "Basic !!", "Basic YQ==", "Bearer", "Digest x", "Basic /w=="],
)
def test_without_a_key_tools_are_told_how(package: DataPackage, header: str) -> None:
    headers = {"Authorization": header} if header else {}
    response = Client().get(url_of(package), headers=headers)
    assert response.status_code == 401
    assert response["WWW-Authenticate"].startswith('Basic realm="CenterHook data"')


def test_a_wrong_key_opens_nothing(package: DataPackage) -> None:
    problem(program("ch_nobody_x").get(url_of(package)), 401, "invalid_key")


def test_a_key_needs_the_scope(bugs: FeedbackType, package: DataPackage) -> None:
    other = program(issue_key(bugs, "Reads only"))
    refusal = problem(other.get(url_of(package)), 403, "missing_scope")
    assert "'data'" in refusal["detail"]


def test_other_tenants_find_nothing(package: DataPackage) -> None:
    ideas = factories.feedback_type("Ideas", "IDEA")
    stranger = program(issue_key(ideas, scope_data=True))
    theirs = factories.package(ideas, "id", key=package.key)
    problem(stranger.get(url_of(package)), 404, "not_found")
    problem(stranger.get(f"{url_of(package)[:-4]}/schema/"), 404, "not_found")
    assert content(stranger.get(url_of(theirs))) == b"id\n"


def test_a_key_of_a_project_reads_packages_of_that_project_only(
    bugs: FeedbackType, package: DataPackage
) -> None:
    community = bugs.project.community
    whole = factories.package(community, "id")
    watch = Project.objects.create(community=community, name="Watch Beta")
    other = factories.package(watch, "id")
    _, token = factories.api_key(
        community, name="Project", scope_data=True, project=bugs.project
    )
    caller = program(token)
    assert content(caller.get(url_of(package)))
    for each in (whole, other):
        problem(caller.get(url_of(each)), 404, "not_found")


def test_people_read_what_they_see_and_it_is_on_the_audit_log(
    bugs: FeedbackType, package: DataPackage
) -> None:
    tickets(bugs, 2)
    otto = person(factories.member(bugs, Role.OBSERVER, "otto"))
    assert content(otto.get(url_of(package))).count(b"\n") == 3
    entry = AuditEntry.objects.get(action="exported")
    assert entry.detail == "2 rows of the data package"
    nora = person(factories.member(factories.feedback_type(), Role.OBSERVER, "nora"))
    problem(nora.get(url_of(package)), 404, "not_found")


def test_reading_by_a_key_counts_as_a_use(
    package: DataPackage, reader: APIClient
) -> None:
    content(reader.get(url_of(package)))
    assert ApiKey.objects.get(name="BI").use_count == 1
    assert not AuditEntry.objects.filter(action="exported").exists()


def test_pages_hold_every_row_once(
    bugs: FeedbackType, package: DataPackage, reader: APIClient
) -> None:
    made = tickets(bugs, 5)
    seen: list[int] = []
    url = f"{url_of(package, 'json')}?page_size=2"
    while url:
        page = json.loads(content(reader.get(url)))
        seen += [row["id"] for row in page["rows"]]
        url = page["next"]
        factories.ticket(bugs, title="Came in meanwhile") if len(seen) == 2 else None
    assert seen[:5] == [ticket.pk for ticket in made] and len(seen) == 6


def test_a_page_of_csv_says_the_next_one_in_a_header(
    bugs: FeedbackType, package: DataPackage, token: str
) -> None:
    tickets(bugs, 3)
    query = {"page_size": 2, "api_key": token}
    response = Client().get(url_of(package), query)
    assert content(response).count(b"\n") == 3
    url, _, rel = response["Link"].partition(">; ")
    assert rel == 'rel="next"' and token not in url
    response = Client().get(url[1:], headers={"X-Api-Key": token})
    assert content(response).count(b"\n") == 2 and "Link" not in response


def test_changed_since_gives_what_changed(
    bugs: FeedbackType, package: DataPackage, reader: APIClient
) -> None:
    old, new = tickets(bugs, 2)
    Feedback.objects.filter(pk=old.pk).update(
        modified_at=timezone.now() - timedelta(days=2)
    )
    since = (timezone.now() - timedelta(days=1)).isoformat()
    response = reader.get(url_of(package, "json"), {"changed_since": since})
    assert [row["id"] for row in json.loads(content(response))] == [new.pk]


# One with our signature, made for something else when the test runs.
OF_ANOTHER = "of another"


@pytest.mark.parametrize(
    ("query", "member"),
    [
        ({"page_size": "0"}, "page_size"),
        ({"page_size": "-1"}, "page_size"),
        ({"page_size": "50001"}, "page_size"),
        ({"page_size": "9" * 400}, "page_size"),
        ({"page_size": "٣"}, "page_size"),
        ({"page_size": "x\0"}, "page_size"),
        ({"changed_since": "yesterday"}, "changed_since"),
        ({"changed_since": "2026-02-30"}, "changed_since"),
        ({"changed_since": "0001-01-01T00:00:00+23:59"}, "changed_since"),
        ({"cursor": "x", "page_size": "5"}, "cursor"),
        ({"cursor": "\ud800", "page_size": "5"}, "cursor"),
        ({"cursor": OF_ANOTHER, "page_size": "5"}, "cursor"),
        ({"limit": "5"}, "limit"),
        ({"format": "xlsx"}, "format"),
    ],
    ids=repr,
)
def test_a_wrong_parameter_is_named(
    package: DataPackage, reader: APIClient, query: dict[str, str], member: str
) -> None:
    if query.get("cursor") == OF_ANOTHER:
        query = {**query, "cursor": signing.dumps([1, "x", 5, None])}
    try:
        response = reader.get(url_of(package), query)
    except UnicodeEncodeError:  # No client can send it.
        return
    [fault] = problem(response, 400, "invalid")["errors"]
    assert fault["parameter"] == member


def test_a_cursor_of_another_package_or_of_an_earlier_one_is_refused(
    bugs: FeedbackType, package: DataPackage, reader: APIClient
) -> None:
    tickets(bugs, 3)
    page = json.loads(content(reader.get(f"{url_of(package, 'json')}?page_size=1")))
    [cursor] = parse_qs(urlsplit(page["next"]).query)["cursor"]
    other = factories.package(bugs, "id")
    query = {"page_size": "1", "cursor": cursor}
    refusal = problem(reader.get(url_of(other), query), 400, "invalid")
    assert refusal["errors"][0]["parameter"] == "cursor"
    since = {**query, "changed_since": "2026-01-01"}
    refusal = problem(reader.get(url_of(package), since), 400, "invalid")
    assert "another changed_since" in refusal["detail"]
    package.columns = ["id"]
    package.full_clean()
    package.save()
    refusal = problem(reader.get(url_of(package), query), 400, "invalid")
    assert "was changed" in refusal["detail"]


def test_testers_do_not_say_when_they_changed(
    bugs: FeedbackType, reader: APIClient
) -> None:
    package = factories.package(bugs.project.community, "id", what="testers")
    response = reader.get(url_of(package), {"changed_since": "2026-01-01"})
    [fault] = problem(response, 400, "invalid")["errors"]
    assert fault["parameter"] == "changed_since"


def test_what_did_not_change_is_not_sent_again(
    bugs: FeedbackType, package: DataPackage, reader: APIClient
) -> None:
    [ticket] = tickets(bugs, 1)
    first = reader.get(url_of(package))
    assert content(first)
    again = reader.get(url_of(package), headers={"If-None-Match": first["ETag"]})
    assert again.status_code == 304 and again["ETag"] == first["ETag"]
    ticket.title = "Another"
    ticket.save()
    third = reader.get(url_of(package), headers={"If-None-Match": first["ETag"]})
    assert b"Another" in content(third)


@pytest.mark.parametrize(
    ("accepted", "is_packed"),
    [("gzip", True), ("br, gzip;q=0.5", True), ("gzip;q=0", False), ("", False)],
)
def test_a_reader_that_takes_gzip_gets_it(
    bugs: FeedbackType,
    package: DataPackage,
    reader: APIClient,
    accepted: str,
    is_packed: bool,
) -> None:
    tickets(bugs, 100)
    plain = reader.get(url_of(package))
    headers = {"Accept-Encoding": accepted}
    response = reader.get(url_of(package), headers=headers)
    sent = content(response)
    assert (response.get("Content-Encoding") == "gzip") is is_packed
    assert (gzip.decompress(sent) if is_packed else sent) == content(plain)
    assert "Accept-Encoding" in response["Vary"]
    again = {**headers, "If-None-Match": plain["ETag"]}
    assert reader.get(url_of(package), headers=again).status_code == 304


def test_the_schema_says_names_and_types(
    package: DataPackage, reader: APIClient
) -> None:
    response = reader.get(f"/data/{package.community_id}/{package.key}/schema/")
    assert response.status_code == 200
    schema = response.json()
    assert schema["columns"] == [
        {"name": "id", "type": "integer", "label": "Ticket ID", "group": "Ticket"},
        {"name": "title", "type": "text", "label": "Title", "group": "Ticket"},
        {
            "name": "field_impact",
            "type": "number",
            "label": "Impact",
            "group": "Form",
        },
    ]
    assert schema["urls"]["csv"].endswith(url_of(package))
    assert set(schema["urls"]) == {"csv", "json", "ndjson"}


def test_a_lost_column_is_a_problem_that_names_it(
    bugs: FeedbackType, package: DataPackage, reader: APIClient
) -> None:
    bugs.form_fields.filter(key="impact").delete()
    for url in (url_of(package), f"{url_of(package)[:-4]}/schema/"):
        refusal = problem(reader.get(url), 409, "package_broken")
        [fault] = refusal["errors"]
        assert fault["pointer"] == "#/columns/2"
        assert "'field_impact'" in fault["detail"]


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ("xlsx", "There is no format 'xlsx'. The URL ends with .csv or .json"),
        ("parquet", "Parquet is made beforehand"),
    ],
)
def test_another_format_is_refused_by_name(
    package: DataPackage, reader: APIClient, form: str, sentence: str
) -> None:
    refusal = problem(reader.get(url_of(package, form)), 404, "wrong_format")
    assert sentence in refusal["detail"]


def test_a_package_that_is_off_says_so(package: DataPackage, reader: APIClient) -> None:
    package.is_active = False
    package.save()
    problem(reader.get(url_of(package)), 410, "package_off")


def test_without_a_valid_key_of_the_community_nobody_reads_it(
    bugs: FeedbackType, package: DataPackage
) -> None:
    otto = person(factories.member(bugs, Role.OBSERVER, "otto"))
    ApiKey.objects.update(is_enabled=False)
    problem(otto.get(url_of(package)), 403, "locked")


def test_a_package_is_refused_beyond_the_limit(
    bugs: FeedbackType, package: DataPackage, reader: APIClient, settings: Any
) -> None:
    tickets(bugs, 3)
    settings.PACKAGE_MAX_BYTES = 20
    refusal = problem(reader.get(url_of(package)), 409, "package_too_large")
    assert "the limit for one file" in refusal["detail"]


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_nothing_is_written_here(
    package: DataPackage, reader: APIClient, method: str
) -> None:
    problem(getattr(reader, method)(url_of(package)), 405, "method_not_allowed")


def test_asking_for_the_head_makes_nothing(
    package: DataPackage, reader: APIClient
) -> None:
    response = reader.head(url_of(package))
    assert response.status_code == 200
    assert response["Content-Type"] == "text/csv; charset=utf-8"


def test_a_database_that_takes_too_long_is_a_sentence(
    bugs: FeedbackType, package: DataPackage, reader: APIClient, settings: Any
) -> None:
    tickets(bugs, 1)
    settings.QUERY_DEADLINE = 0.2
    with slow('FROM "feedback_datapackage"'):
        refusal = problem(reader.get(url_of(package)), 503, "took_too_long")
    assert "let a data package be stored" in refusal["detail"]
