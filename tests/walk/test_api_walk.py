"""Every route of the API, as every role and as a key, across two communities."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial

import pytest
from django.test import Client
from django.urls import URLResolver, get_resolver, reverse

from tests import factories
from tests.walk.pages import (
    COMMUNITY_MANAGER,
    EVERYBODY,
    OBSERVER,
    PROJECT_MANAGER,
    SUPPORT,
    Page,
)
from tests.walk.walker import Walk, patterns
from tests.walk.world import THEIRS, World

pytestmark = [pytest.mark.django_db, pytest.mark.sweep]

# Who may at least; a new route needs a row here.
ROUTES: dict[str, Page] = {
    "root": Page(get=EVERYBODY),
    "schema": Page(get=EVERYBODY),
    "docs": Page(get=EVERYBODY),
    "redoc": Page(get=EVERYBODY),
    "community-list": Page(get=OBSERVER),
    "community-detail": Page("feedback.community", get=OBSERVER),
    "project-list": Page(get=OBSERVER),
    "project-detail": Page("feedback.project", get=OBSERVER),
    "feedbacktype-list": Page(get=OBSERVER),
    "feedbacktype-detail": Page("feedback.feedbacktype", get=OBSERVER),
    "feedbacktype-schema": Page("feedback.feedbacktype", get=OBSERVER),
    "externalsource-list": Page(get=OBSERVER),
    "externalsource-detail": Page("feedback.externalsource", get=OBSERVER),
    "externalsource-new-url": Page("feedback.externalsource", post=PROJECT_MANAGER),
    "member-list": Page(get=COMMUNITY_MANAGER),
    "member-detail": Page("feedback.member", get=COMMUNITY_MANAGER),
    "apikey-list": Page(get=COMMUNITY_MANAGER),
    "apikey-detail": Page("feedback.apikey", get=COMMUNITY_MANAGER),
    "comment-list": Page(get=OBSERVER),
    "comment-detail": Page("feedback.comment", get=OBSERVER),
    "feedback-batch": Page(post=SUPPORT),
    "feedback-list": Page(get=OBSERVER),
    "feedback-detail": Page("feedback.feedback", get=OBSERVER),
    "feedback-attachments": Page("feedback.feedback", get=OBSERVER),
    "attachment-detail": Page("feedback.attachment", get=OBSERVER),
    "attachment-download": Page("feedback.attachment", get=OBSERVER),
    "datapackage-list": Page(get=OBSERVER),
    "datapackage-detail": Page("feedback.datapackage", get=OBSERVER),
    "datapackage-possible-columns": Page("feedback.datapackage", get=OBSERVER),
    "datapackage-refresh": Page("feedback.datapackage", post=PROJECT_MANAGER),
    "filter-list": Page(get=OBSERVER),
    "filter-detail": Page("feedback.filter", get=OBSERVER),
    "filter-preview": Page("feedback.filter", get=OBSERVER),
    "filter-fields": Page(post=OBSERVER),
    "filter-try": Page(post=OBSERVER),
    "recordlookup-list": Page(get=OBSERVER),
    "recordlookup-detail": Page("feedback.recordlookup", get=OBSERVER),
    "macro-list": Page(get=OBSERVER),
    "macro-detail": Page("macros.macro", get=OBSERVER),
    "macro-runs": Page("macros.macro", post=SUPPORT),
    "macro-dry-run": Page("macros.macro", post=SUPPORT),
    "macro-preview": Page("macros.macro", post=SUPPORT),
    "macro-validate-new": Page(post=PROJECT_MANAGER),
    "macro-presets": Page(get=OBSERVER),
    "macro-from-preset": Page(post=PROJECT_MANAGER),
    "macro-validate": Page("macros.macro", post=PROJECT_MANAGER),
    "macro-test": Page("macros.macro", post=PROJECT_MANAGER),
    "macro-duplicate": Page("macros.macro", post=PROJECT_MANAGER),
    "macro-export": Page("macros.macro", post=PROJECT_MANAGER),
    "macro-pause": Page("macros.macro", post=PROJECT_MANAGER),
    "macro-resume": Page("macros.macro", post=PROJECT_MANAGER),
    "trigger-list": Page(get=OBSERVER),
    "trigger-detail": Page("macros.trigger", get=OBSERVER),
    "trigger-try": Page("macros.trigger", post=OBSERVER),
    "schedule-list": Page(get=OBSERVER),
    "schedule-detail": Page("macros.schedule", get=OBSERVER),
    "schedule-moments": Page("macros.schedule", get=OBSERVER),
    "schedule-runs": Page("macros.schedule", post=SUPPORT),
    "listener-list": Page(get=OBSERVER),
    "listener-detail": Page("macros.listener", get=OBSERVER),
    "listener-renew": Page("macros.listener", post=PROJECT_MANAGER),
    "call-list": Page(get=OBSERVER),
    "call-detail": Page("macros.inboundcall", get=OBSERVER),
    "call-replay": Page("macros.inboundcall", post=SUPPORT),
    "call-replay-many": Page(post=SUPPORT),
    "event-list": Page(get=OBSERVER),
    "event-detail": Page("macros.inboundevent", get=OBSERVER),
    "version-list": Page(get=PROJECT_MANAGER),
    "version-detail": Page("macros.macroversion", get=PROJECT_MANAGER),
    "version-restore": Page("macros.macroversion", post=PROJECT_MANAGER),
    "secret-list": Page(get=PROJECT_MANAGER),
    "secret-detail": Page("macros.secret", get=PROJECT_MANAGER),
    "run-list": Page(get=OBSERVER),
    "run-detail": Page("logs.run", get=OBSERVER),
    "run-cancel": Page("logs.run", post=SUPPORT),
    "run-confirm": Page("logs.run", post=SUPPORT),
    "run-pause": Page("logs.run", post=SUPPORT),
    "run-resume": Page("logs.run", post=SUPPORT),
    "run-resend": Page("logs.run", post=SUPPORT),
    "run-resend-count": Page("logs.run", post=SUPPORT),
    "delivery-list": Page(get=OBSERVER),
    "delivery-detail": Page("logs.delivery", get=OBSERVER),
    "delivery-resend": Page("logs.delivery", post=SUPPORT),
    "attempt-list": Page(get=OBSERVER),
    "attempt-detail": Page("logs.attempt", get=OBSERVER),
    "destination-list": Page(get=OBSERVER),
    "destination-detail": Page("logs.destination", get=OBSERVER),
    "destination-resume": Page("logs.destination", post=COMMUNITY_MANAGER),
    "audit-list": Page(get=COMMUNITY_MANAGER),
    "audit-detail": Page("logs.auditentry", get=COMMUNITY_MANAGER),
    "tester-list": Page(get=OBSERVER),
    "tester-detail": Page("feedback.tester", get=OBSERVER),
    "tester-batch": Page(post=COMMUNITY_MANAGER),
    "tester-export": Page("feedback.tester", get=COMMUNITY_MANAGER),
    "tester-erase": Page("feedback.tester", post=COMMUNITY_MANAGER),
}

NEED_A_BODY = (
    *("tester-batch", "feedback-batch", "macro-validate-new", "call-replay-many"),
    "macro-from-preset",
)


def routes() -> set[str]:
    [site] = [
        each
        for top in get_resolver().url_patterns
        if isinstance(top, URLResolver)
        for each in top.url_patterns
        if isinstance(each, URLResolver) and each.namespace == "api"
    ]
    return {str(each.name) for each in patterns(site)}


def test_every_route_has_its_row(record_property: Callable[[str, int], None]) -> None:
    record_property("walk_routes", len(ROUTES))
    assert routes() == set(ROUTES)


# A community's projects have these in common.
SHARED = ("feedback.community", "logs.destination")


def test_no_route_finds_what_is_not_ones_own(walk: Walk) -> None:
    hidden = [walk.world.theirs]
    if walk.person.in_project:
        hidden.append(walk.world.next)
    for name, page in ROUTES.items():
        for of in hidden if page.of else []:
            if of == walk.world.next and page.of in SHARED:
                continue  # It is one's own project's as well.
            url = reverse(f"api:{name}", args=[walk.world.row(of, page.of).pk])
            # People who may do it nowhere are refused without a look at the row.
            refused = 404 if walk.may(page.get or page.post) else 403
            method = "get" if page.get else "post"
            assert walk.visit(method, url) == refused, url


def test_a_route_is_open_to_those_and_only_those_who_may(walk: Walk) -> None:
    for name, page in ROUTES.items():
        row = walk.world.row(walk.world.mine, page.of) if page.of else None
        url = reverse(f"api:{name}", args=[row.pk] if row else [])
        if page.get:
            reached = row is None or walk.reaches(walk.world.mine, page.of)
            open_to = walk.may(page.get) and reached
            assert (walk.visit("get", url) == 200) is open_to, url
        elif not walk.may(page.post):
            assert walk.visit("post", url) == 403, url


def test_no_condition_leads_to_another_community(walk: Walk) -> None:
    theirs = walk.world.theirs
    rows = {
        name: walk.world.row(theirs, label).pk
        for name, label in (
            ("type", "feedback.feedbacktype"),
            ("project", "feedback.project"),
            ("macro", "macros.macro"),
            ("run", "logs.run"),
        )
    }
    for name, page in ROUTES.items():
        if page.of or not page.get or name in ("root", "schema", "docs", "redoc"):
            continue
        url = reverse(f"api:{name}")
        for condition, pk in rows.items():
            assert walk.visit("get", f"{url}?{condition}={pk}") in (200, 400, 403)


def test_a_key_finds_nothing_of_another_community() -> None:
    world = World.build()
    scopes = ("read", "write", "run", "listener", "data", "secrets", "manage")
    every = dict.fromkeys([f"scope_{scope}" for scope in scopes], True)
    _, token = factories.api_key(world.mine.project.community, **every)
    client = Client(headers={"authorization": f"Bearer {token}"})
    before = world.all_of(world.theirs)
    for name, page in ROUTES.items():
        row = world.row(world.theirs, page.of) if page.of else None
        url = reverse(f"api:{name}", args=[row.pk] if row else [])
        json_type = "application/json"
        post = partial(client.post, url, {}, content_type=json_type)
        response = client.get(url) if page.get else post()
        # No key erases anybody, so it is refused without a look at the row.
        refused = 403 if name == "tester-erase" else 404
        reached = 400 if name in NEED_A_BODY else 200
        assert response.status_code == (refused if row else reached), url
        text = response.content.decode(errors="replace")
        assert THEIRS.lower() not in text.lower(), url
    ids = [world.row(world.theirs, "feedback.feedback").pk]
    mine = world.row(world.mine, "macros.macro")
    url = reverse("api:macro-runs", args=[mine.pk])
    body = json.dumps({"ids": ids})
    response = client.post(url, body, content_type="application/json")
    assert response.status_code == 400
    assert world.all_of(world.theirs) == before
