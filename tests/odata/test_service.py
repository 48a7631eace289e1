"""The addresses of a package as OData 4.0: their headers, bodies and refusals."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree as xml

import pytest
from rest_framework.test import APIClient

from feedback.access.roles import Role
from feedback.models import DataPackage, Feedback, FeedbackType
from feedback.odata.rows import MAX_PAGE
from logs.models import AuditEntry
from tests import factories
from tests.api.callers import issue_key, person, program

EDM = "{http://docs.oasis-open.org/odata/ns/edm}"


@pytest.fixture
def package(bugs: FeedbackType) -> DataPackage:
    for title in ("a", "b", "c"):
        factories.ticket(bugs, title=title, form_values={"impact": 10**17 + 1})
    columns = ("title", "field_impact", "external_crm id", "field_platform", "created")
    return factories.package(bugs, *columns, key="open-bugs")


@pytest.fixture
def reader(bugs: FeedbackType) -> APIClient:
    return program(issue_key(bugs, scope_run=False, scope_data=True))


def root_of(package: DataPackage) -> str:
    return f"/data/{package.community_id}/{package.key}/odata/"


def rows_url(package: DataPackage, **options: str) -> str:
    query = "&".join(f"${name}={quote(value)}" for name, value in options.items())
    return f"{root_of(package)}open_bugs?{query}"


def error(response: Any, status: int, code: str) -> dict[str, Any]:
    """The whole error object, in OData's form."""
    assert response["Content-Type"] == "application/json"
    assert response["OData-Version"] == "4.0"
    body = json.loads(response.content)
    assert (response.status_code, body["error"]["code"]) == (status, code), body
    assert body["error"]["message"]
    return dict(body["error"])


def test_the_service_document_leads_to_the_rows(
    reader: APIClient, package: DataPackage
) -> None:
    response = reader.get(root_of(package))
    kind = "application/json;odata.metadata=minimal;charset=utf-8"
    assert response["Content-Type"] == kind
    assert response["OData-Version"] == "4.0"
    base = f"http://localhost:8000{root_of(package)}"
    assert response.json() == {
        "@odata.context": f"{base}$metadata",
        "value": [{"name": "open_bugs", "kind": "EntitySet", "url": "open_bugs"}],
    }


def test_the_metadata_states_each_type_and_the_key(
    reader: APIClient, package: DataPackage
) -> None:
    response = reader.get(f"{root_of(package)}$metadata")
    assert response["Content-Type"] == "application/xml;charset=utf-8"
    tree = xml.fromstring(response.content)
    assert tree.tag == "{http://docs.oasis-open.org/odata/ns/edmx}Edmx"
    assert tree.get("Version") == "4.0"
    [row] = tree.iter(f"{EDM}EntityType")
    keys = [each.get("Name") for each in row.iter(f"{EDM}PropertyRef")]
    assert keys == ["id"]
    types = {each.get("Name"): each.attrib for each in row.iter(f"{EDM}Property")}
    assert {name: each["Type"] for name, each in types.items()} == {
        "id": "Edm.Int64",
        "title": "Edm.String",
        "field_impact": "Edm.Decimal",
        "external_crm_id": "Edm.String",
        "field_platform": "Collection(Edm.String)",
        "created": "Edm.DateTimeOffset",
    }
    assert types["id"]["Nullable"] == "false"
    [entity_set] = tree.iter(f"{EDM}EntitySet")
    expected = {"Name": "open_bugs", "EntityType": "CenterHook.Row"}
    assert entity_set.attrib == expected


def test_rows_are_pages_that_lead_to_each_other(
    reader: APIClient, package: DataPackage, bugs: FeedbackType
) -> None:
    url = rows_url(package, select="title", orderby="title desc", count="true")
    response = reader.get(url, headers={"Prefer": "odata.maxpagesize=2"})
    assert response["Preference-Applied"] == "odata.maxpagesize=2"
    body = response.json()
    context = f"http://localhost:8000{root_of(package)}$metadata#open_bugs(title)"
    assert body["@odata.context"] == context
    assert body["@odata.count"] == 3
    assert body["value"] == [{"title": "c"}, {"title": "b"}]
    assert list(body)[-1] == "@odata.nextLink"
    link = body["@odata.nextLink"].removeprefix("http://localhost:8000")
    last = reader.get(link).json()
    assert set(last) == {"@odata.context", "value"}
    assert last["value"] == [{"title": "a"}]


def test_one_row_and_the_number_of_rows(
    reader: APIClient, package: DataPackage
) -> None:
    first = Feedback.objects.order_by("pk").first()
    assert first is not None
    for key in (f"{first.pk}", f"id={first.pk}"):
        one = reader.get(f"{root_of(package)}open_bugs({key})?$select=id,title").json()
        assert one["@odata.context"].endswith("#open_bugs(id,title)/$entity")
        assert (one["id"], one["title"]) == (first.pk, "a")
    error(reader.get(f"{root_of(package)}open_bugs(987654)"), 404, "not_found")
    count = reader.get(f"{root_of(package)}open_bugs/$count?$filter=title%20ne%20'a'")
    assert (count.content, count["Content-Type"]) == (b"2", "text/plain;charset=utf-8")


def test_numbers_are_texts_for_whoever_asks_for_all_their_digits(
    reader: APIClient, package: DataPackage
) -> None:
    url = rows_url(package, select="id,field_impact", top="1")
    plain = reader.get(url)
    assert b'"field_impact": 100000000000000001}' in plain.content
    kind = "application/json;odata.metadata=minimal;IEEE754Compatible=true"
    for asked in (
        reader.get(url, headers={"Accept": kind}),
        reader.get(f"{url}&$format={quote(kind)}"),
    ):
        assert asked["Content-Type"] == f"{kind};charset=utf-8"
        [row] = asked.json()["value"]
        assert row["field_impact"] == "100000000000000001"
        assert isinstance(row["id"], str)


@pytest.mark.parametrize(
    ("path", "code", "target"),
    [
        ("open_bugs?$expand=x", "not_supported", "$expand"),
        ("open_bugs?$search=x", "not_supported", "$search"),
        ("open_bugs?$apply=x", "not_supported", "$apply"),
        ("?$expand=x", "not_supported", "$expand"),
        ("$metadata?$levels=1", "not_supported", "$levels"),
        ("open_bugs?$filter=indexof(title,'a') eq 1", "not_supported", "$filter"),
        (
            "open_bugs?$filter=field_platform/any(x:x eq 'a')",
            "not_supported",
            "$filter",
        ),
        ("open_bugs?$orderby=length(title)", "not_supported", "$orderby"),
        ("open_bugs?$select=title/length", "not_supported", "$select"),
        ("open_bugs?$format=atom", "not_supported", "$format"),
        ("open_bugs?$filter=titel eq 1", "invalid", "$filter"),
        ("open_bugs?$filter=", "invalid", "$filter"),
        ("open_bugs?$select=none", "invalid", "$select"),
        ("open_bugs?$orderby=none", "invalid", "$orderby"),
        ("open_bugs?$orderby=title up", "invalid", "$orderby"),
        ("open_bugs?$orderby=field_platform", "invalid", "$orderby"),
        ("open_bugs?$orderby=" + ",".join(["id"] * 6), "invalid", "$orderby"),
        ("open_bugs?$top=-1", "invalid", "$top"),
        ("open_bugs?$top=1.5", "invalid", "$top"),
        ("open_bugs?$skip=99999999999", "invalid", "$skip"),
        ("open_bugs?$count=yes", "invalid", "$count"),
        ("open_bugs?$top=1&$top=2", "invalid", "$top"),
        ("open_bugs?$skiptoken=forged", "invalid", "$skiptoken"),
        ("open_bugs?$skiptoken=x&$skip=1", "invalid", "$skiptoken"),
        ("open_bugs?page_size=5", "invalid", "page_size"),
        ("open_bugs?api_key=ch_1", "invalid", "api_key"),
        ("open_bugs/$count?$top=1", "invalid", "$top"),
        ("open_bugs(1)?$filter=true", "invalid", "$filter"),
        ("?$top=1", "invalid", "$top"),
    ],
)
def test_what_is_not_understood_is_named(
    reader: APIClient, package: DataPackage, path: str, code: str, target: str
) -> None:
    status = {"not_supported": 501, "invalid": 400}[code]
    response = reader.get(root_of(package) + path.replace(" ", "%20"))
    refused = error(response, status, code)
    assert refused["target"] == target
    assert target in refused["message"]


@pytest.mark.parametrize("path", ["other", "open-bugs", "open_bugs/", "open_bugs(a)"])
def test_other_addresses_are_not_there(
    reader: APIClient, package: DataPackage, path: str
) -> None:
    error(reader.get(root_of(package) + path), 404, "not_found")


def test_whoever_may_not_read_the_package_is_told_in_the_same_form(
    bugs: FeedbackType, package: DataPackage, reader: APIClient
) -> None:
    anybody = APIClient().get(root_of(package))
    assert anybody["WWW-Authenticate"].startswith("Basic ")
    message = error(anybody, 401, "not_authenticated")["message"]
    assert "X-Api-Key" in message and "URL" not in message, "OData refuses a key there"
    without_scope = program(issue_key(bugs, name="Other"))
    error(without_scope.get(root_of(package)), 403, "missing_scope")
    others = factories.feedback_type("Ideas", "IDEA")
    stranger = program(issue_key(others, scope_data=True))
    for path in ("", "$metadata", "open_bugs", "open_bugs(1)", "open_bugs/$count"):
        error(stranger.get(root_of(package) + path), 404, "not_found")
    for number in (0, 2**63, 10**19, 10**300):
        error_of = reader.get(f"/data/{number}/{package.key}/odata/")
        assert error_of.status_code == 404
        assert reader.get(f"/data/{number}/{package.key}.json").status_code == 404
    for method in ("post", "put", "patch", "delete"):
        response = getattr(reader, method)(root_of(package))
        error(response, 405, "method_not_allowed")
    bugs.form_fields.filter(key="impact").delete()
    broken = error(reader.get(rows_url(package)), 409, "package_broken")
    assert "field_impact" in broken["message"]
    DataPackage.objects.update(is_active=False)
    error(reader.get(root_of(package)), 410, "package_off")


def test_a_person_reads_in_a_browser_and_it_is_audited(
    bugs: FeedbackType, package: DataPackage
) -> None:
    otto = person(factories.member(bugs, Role.OBSERVER, "otto"))
    response = otto.get(rows_url(package), HTTP_ACCEPT="text/html")
    assert len(response.json()["value"]) == 3
    entry = AuditEntry.objects.get(object_type="feedback.datapackage")
    assert (entry.action, entry.actor_name) == ("exported", "otto")


def test_a_page_is_never_longer_than_the_longest(
    reader: APIClient, package: DataPackage
) -> None:
    for wanted, size in (("999999999", MAX_PAGE), ("0", 1)):
        prefer = {"Prefer": f"respond-async, odata.maxpagesize={wanted}"}
        response = reader.get(rows_url(package), headers=prefer)
        assert response["Preference-Applied"] == f"odata.maxpagesize={size}"
    assert "Preference-Applied" not in reader.get(rows_url(package))


def test_names_that_odata_does_not_take_get_near_ones_of_their_own(
    bugs: FeedbackType, reader: APIClient
) -> None:
    data = {"crm id": "one", "crm_id": "two", "crm-id": "three", "9": "nine"}
    factories.ticket(bugs, external_data=data)
    columns = ("external_crm-id", "external_crm id", "external_crm_id")
    package = factories.package(bugs, *columns, key="9-lives")
    [row] = reader.get(f"{root_of(package)}_9_lives").json()["value"]
    assert row["external_crm_id"] == "two"
    assert list(row) == [
        "id",
        "external_crm_id_2",
        "external_crm_id_3",
        "external_crm_id",
    ]
