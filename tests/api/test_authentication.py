"""Who gets in: a key in the one right header, or the admin's session."""

from __future__ import annotations

import logging

import pytest
from django.contrib.auth.models import User
from django.test import Client
from rest_framework.test import APIClient

from feedback.access.keys import KeyRefused
from feedback.access.roles import Role
from feedback.models import ApiKey, FeedbackType, KeyUse, Project
from logs.models import Run
from tests import factories
from tests.api.callers import issue_key, person, problem, program, titles

FEEDBACK = "/api/v1/feedback/"
ROOMS = [
    "feedback",
    "testers",
    "filters",
    "macros",
    "secrets",
    "runs",
    "deliveries",
]


@pytest.mark.parametrize("address", ["", *[f"{room}/" for room in ROOMS]])
def test_without_a_key_or_a_session_nothing_is_told(
    bugs: FeedbackType, address: str
) -> None:
    response = APIClient().get(f"/api/v1/{address}")
    problem(response, 401, "not_authenticated")
    assert response["WWW-Authenticate"] == 'Bearer realm="CenterHook API"'


def test_a_key_opens_its_own_communitys_rooms(
    bugs: FeedbackType, caller: APIClient
) -> None:
    factories.ticket(bugs, title="Mine")
    factories.ticket(factories.feedback_type(), title="Another community's")
    assert titles(caller.get(FEEDBACK)) == ["Mine"]
    root = caller.get("/api/v1/").json()
    assert set(ROOMS) <= set(root)
    assert root == {room: f"http://testserver/api/v1/{room}/" for room in root}


@pytest.mark.parametrize(
    "header",
    [
        "Bearer",
        "Bearer ",
        "{token}",
        "Token {token}",
        "Basic {token}",
        "ApiKey {token}",
        "Bearer{token}",
        "Ｂearer {token}",
    ],
)
def test_another_scheme_is_refused_with_the_right_one(
    bugs: FeedbackType, header: str
) -> None:
    given = header.format(token=issue_key(bugs))
    response = APIClient().get(FEEDBACK, HTTP_AUTHORIZATION=given)
    detail = problem(response, 401, "wrong_scheme")["detail"]
    assert "'Authorization: Bearer <token>'" in detail


@pytest.mark.parametrize(
    "name", ["X-Api-Key", "Api-Key", "X-Auth-Token", "X-Whatever", "Cookie"]
)
def test_a_key_in_another_header_is_refused_with_the_right_one(
    bugs: FeedbackType, name: str
) -> None:
    token = issue_key(bugs)
    response = APIClient().get(FEEDBACK, headers={name: token})
    detail = problem(response, 401, "key_in_wrong_header")["detail"]
    assert "'Authorization: Bearer <token>'" in detail and token not in detail


@pytest.mark.parametrize("name", ["api_key", "key", "access_token", "search"])
def test_a_key_in_the_url_is_refused_as_seen(bugs: FeedbackType, name: str) -> None:
    token = issue_key(bugs)
    response = APIClient().get(FEEDBACK, {name: token})
    detail = problem(response, 401, "key_in_url")["detail"]
    assert "take this one out of use" in detail and token not in detail


def test_a_wrong_key_is_refused_and_logged_without_it(
    bugs: FeedbackType, caplog: pytest.LogCaptureFixture
) -> None:
    token = issue_key(bugs)
    wrong = [
        token[:-1],
        token[:-1] + "\u0430",
        token.upper(),
        f"{token}x",
        "ch_",
        "x" * 8000,
        "\x00",
        "é",
    ]
    with caplog.at_level(logging.WARNING, "feedback.rest.problems"):
        for each in wrong:
            response = program(each).get(FEEDBACK, {"search": "secret word"})
            problem(response, 401, "invalid_key")
            assert "WWW-Authenticate" in response
    messages = [record.getMessage() for record in caplog.records]
    line = "API refused GET '/api/v1/feedback/': 401 invalid_key"
    assert sum(text.startswith(line) for text in messages) == len(wrong)
    assert not any(each in text for each in wrong[:2] for text in messages)
    assert "secret word" not in caplog.text


def test_a_key_that_is_off_opens_nothing(bugs: FeedbackType) -> None:
    client = program(issue_key(bugs))
    ApiKey.objects.update(is_enabled=False)
    problem(client.get(FEEDBACK), 401, "key_disabled")


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("key_expired", 401),
        ("address_not_allowed", 403),
        ("too_many_attempts", 429),
    ],
)
def test_each_refusal_of_a_key_has_its_status_and_its_sentence(
    caller: APIClient, code: str, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(token: str, address: str) -> None:
        raise KeyRefused(
            code, "A sentence for people.", retry_after=90 if status == 429 else None
        )

    monkeypatch.setattr("feedback.rest.authentication.authenticate", refuse)
    response = caller.get(FEEDBACK)
    assert problem(response, status, code)["detail"] == "A sentence for people."
    assert response.get("Retry-After") == ("90" if status == 429 else None)


@pytest.mark.parametrize(("proxies", "seen"), [(0, "127.0.0.1"), (1, "198.51.100.7")])
def test_the_callers_address_is_what_trusted_proxies_say(
    bugs: FeedbackType,
    settings: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    proxies: int,
    seen: str,
) -> None:
    settings.PROXY_COUNT = proxies  # type: ignore[attr-defined]
    addresses = []

    def refuse(token: str, address: str) -> None:
        addresses.append(address)
        raise KeyRefused("address_not_allowed", "Not from there.")

    monkeypatch.setattr("feedback.rest.authentication.authenticate", refuse)
    lie = {"HTTP_X_FORWARDED_FOR": "203.0.113.9, 198.51.100.7"}
    program("ch_any", **lie).get(FEEDBACK)
    assert addresses == [seen]


def test_people_use_their_session_and_see_their_own(bugs: FeedbackType) -> None:
    factories.ticket(bugs, title="Mine")
    factories.ticket(factories.feedback_type(), title="Another community's")
    otto = person(factories.member(bugs, Role.OBSERVER))
    assert titles(otto.get(FEEDBACK)) == ["Mine"]
    olivia = person(factories.superuser())
    assert titles(olivia.get(FEEDBACK)) == ["Another community's", "Mine"]


def test_people_without_a_role_are_told_so(bugs: FeedbackType) -> None:
    factories.ticket(bugs)
    for user in (
        User.objects.create_user("nora", is_staff=True),
        User.objects.create_user("tom"),
    ):
        for room in ROOMS:
            response = person(user).get(f"/api/v1/{room}/")
            problem(response, 403, "permission_denied")


def test_a_session_changes_nothing_without_the_csrf_token(bugs: FeedbackType) -> None:
    factories.ticket(bugs)
    macro = factories.macro(bugs, "https://example.com/")
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(factories.member(bugs, Role.SUPPORT))
    response = client.post(f"/api/v1/macros/{macro.pk}/runs/", {"filter": {}})
    problem(response, 403, "csrf_failed")
    # As a form of another site would do it.
    response = client.post(
        f"/api/v1/macros/{macro.pk}/runs/", b"ids=1", content_type="text/plain"
    )
    problem(response, 403, "csrf_failed")
    assert not Run.objects.exists()


def test_a_key_needs_no_csrf_token_and_opens_no_admin(bugs: FeedbackType) -> None:
    ticket = factories.ticket(bugs)
    macro = factories.macro(bugs, "https://example.com/")
    token = issue_key(bugs)
    client = APIClient(enforce_csrf_checks=True)
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    response = client.post(f"/api/v1/macros/{macro.pk}/runs/", {"ids": [ticket.pk]})
    assert response.status_code == 201
    assert "sessionid" not in response.cookies
    admin = Client(headers={"Authorization": f"Bearer {token}"}).get("/admin/")
    assert admin.status_code == 302


def test_a_key_of_narrow_scope_is_told_what_it_lacks(bugs: FeedbackType) -> None:
    ticket = factories.ticket(bugs)
    macro = factories.macro(bugs, "https://example.com/")
    run = factories.run(macro)
    reader = program(issue_key(bugs, scope_run=False))
    writer = program(issue_key(bugs, "Writer", scope_run=False, scope_read=False))
    assert titles(reader.get(FEEDBACK)) == ["It breaks"]
    runs = f"/api/v1/macros/{macro.pk}/runs/"
    for response, scope in [
        (reader.post(runs, {"ids": [ticket.pk]}), "run"),
        (reader.post(f"/api/v1/runs/{run.pk}/cancel/"), "run"),
        (writer.get(FEEDBACK), "read"),
        (writer.get("/api/v1/deliveries/1/"), "read"),
    ]:
        detail = problem(response, 403, "missing_scope")["detail"]
        assert detail == f"This API key lacks the scope '{scope}'."
    assert KeyUse.objects.filter(outcome="missing_scope").exists()
    run.refresh_from_db()
    assert run.state == "active" and Run.objects.count() == 1


def test_a_key_of_one_project_opens_that_one_only(bugs: FeedbackType) -> None:
    other = Project.objects.create(community=bugs.project.community, name="Watch")
    ideas = FeedbackType.objects.create(project=other, name="Idea", prefix="IDEA")
    factories.ticket(ideas, title="Idea")
    hidden = factories.ticket(bugs, title="Bug")
    macro = factories.macro(bugs, "https://example.com/")
    caller = program(issue_key(bugs, project=other))
    assert titles(caller.get(FEEDBACK)) == ["Idea"]
    problem(caller.get(f"{FEEDBACK}{hidden.pk}/"), 404, "not_found")
    runs = f"/api/v1/macros/{macro.pk}/runs/"
    problem(caller.post(runs, {"ids": [hidden.pk]}), 404, "not_found")
    assert not Run.objects.exists()
