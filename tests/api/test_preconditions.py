"""A change is refused where the row is not as the caller read it."""

from __future__ import annotations

import pytest
from rest_framework.test import APIClient

from feedback.models import FeedbackType
from macros.models import Secret
from tests import factories
from tests.api.callers import issue_key, problem, program


@pytest.fixture
def keeper(bugs: FeedbackType) -> APIClient:
    return program(issue_key(bugs, "Vault", scope_secrets=True))


@pytest.fixture
def url(bugs: FeedbackType) -> str:
    secret = factories.secret(bugs, "Slack")
    return f"/api/v1/secrets/{secret.pk}/"


def test_a_row_has_a_tag_that_changes_with_it(keeper: APIClient, url: str) -> None:
    first = keeper.get(url)
    assert keeper.get(url)["ETag"] == first["ETag"]
    assert keeper.get(f"{url}?fields=id")["ETag"] == first["ETag"]
    changed = keeper.patch(url, {"description": "x"})
    assert changed["ETag"] != first["ETag"]
    assert keeper.get(url)["ETag"] == changed["ETag"]


@pytest.mark.parametrize("given", ["{etag}", "W/{etag}", '"x", {etag}', "*"])
def test_who_has_the_row_gets_304(keeper: APIClient, url: str, given: str) -> None:
    etag = keeper.get(url)["ETag"]
    known = keeper.get(url, headers={"if-none-match": given.format(etag=etag)})
    assert (known.status_code, known.content, known["ETag"]) == (304, b"", etag)
    keeper.patch(url, {"description": "x"})
    if given != "*":
        stale = keeper.get(url, headers={"if-none-match": given.format(etag=etag)})
        assert stale.status_code == 200


def test_a_change_needs_the_row_as_it_was_read(keeper: APIClient, url: str) -> None:
    etag = keeper.get(url)["ETag"]
    done = keeper.patch(url, {"description": "mine"}, headers={"if-match": etag})
    assert done.status_code == 200
    stale = keeper.patch(url, {"description": "theirs"}, headers={"if-match": etag})
    body = problem(stale, 412, "precondition_failed")
    assert body["errors"][0]["header"] == "If-Match"
    problem(keeper.delete(url, headers={"if-match": etag}), 412, "precondition_failed")
    assert Secret.objects.get().description == "mine"
    weak = {"if-match": f"W/{done['ETag']}"}
    problem(keeper.delete(url, headers=weak), 412, "precondition_failed")
    assert keeper.delete(url, headers={"if-match": "*"}).status_code == 204


@pytest.mark.parametrize("given", ["", "abc", '"', '"a" "b"', '"a",', "é"])
def test_what_is_no_tag_is_refused(keeper: APIClient, url: str, given: str) -> None:
    refused = keeper.patch(url, {"description": "x"}, headers={"if-match": given})
    assert problem(refused, 400, "invalid")["errors"][0]["header"] == "If-Match"


def test_an_action_on_a_row_takes_it_too(keeper: APIClient, bugs: FeedbackType) -> None:
    caller = program(issue_key(bugs, "Runs"))
    factories.ticket(bugs)
    run = factories.run(factories.macro(bugs, "https://example.com/"))
    url = f"/api/v1/runs/{run.pk}/"
    stale = caller.post(f"{url}cancel/", headers={"if-match": '"old"'})
    problem(stale, 412, "precondition_failed")
    fresh = {"if-match": caller.get(url)["ETag"]}
    assert caller.post(f"{url}cancel/", headers=fresh).status_code == 200
