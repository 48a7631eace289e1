"""Every admin page and action, as every role, across two communities.

What a person may not see is not found, what they may not do is refused, no page says a
word of another community, and nothing of it changes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client, RequestFactory
from django.urls import NoReverseMatch, URLResolver, get_resolver, reverse

from feedback.models import FeedbackType
from tests import factories
from tests.walk.addresses import every_page, name_of
from tests.walk.pages import MODELS, NOT_WALKED, OTHERS, Page
from tests.walk.walker import Walk, patterns
from tests.walk.world import World, model_of

pytestmark = [pytest.mark.django_db, pytest.mark.sweep]

STANDARD = ("changelist", "add", "change", "delete", "history")


def named() -> set[str]:
    """The names of all URLs of the admin."""
    [site] = [
        each
        for each in get_resolver().url_patterns
        if isinstance(each, URLResolver) and each.namespace == "admin"
    ]
    return {str(each.name) for each in patterns(site)}


def test_every_page_has_its_row(record_property: Callable[[str, int], None]) -> None:
    record_property("walk_pages", len(named() - NOT_WALKED))
    rows = {name_of(label, page) for label in MODELS for page in STANDARD}
    assert named() - rows - set(OTHERS) - NOT_WALKED == set()
    assert (rows | set(OTHERS)) - named() == set()


def test_no_page_shows_or_changes_what_is_not_ones_own(walk: Walk) -> None:
    hidden = [walk.world.theirs]
    if walk.person.in_project:
        hidden.append(walk.world.next)
    for name, page in every_page():
        for of in hidden if page.of and not page.of.startswith("auth.") else []:
            row = walk.world.row(of, page.of)
            if _is_shared(walk, of, page.of):
                continue
            url = reverse(f"admin:{name}", kwargs={page.argument: row.pk})
            assert walk.visit("get", url) == 404, url
            assert walk.visit("post", url, {"post": "yes"}) == 404, url


def _is_shared(walk: Walk, of: FeedbackType, label: str) -> bool:
    """The community itself and its destinations are seen from every project."""
    shared = label in ("feedback.community", "logs.destination")
    return shared and of != walk.world.theirs


def test_a_page_is_open_to_those_and_only_those_who_may(walk: Walk) -> None:
    for name, page in every_page():
        if page.of.startswith("auth."):
            continue
        kwargs: dict[str, Any] = dict(page.given)
        if page.of:
            kwargs = {page.argument: walk.world.row(walk.world.mine, page.of).pk}
        url = reverse(f"admin:{name}", kwargs=kwargs)
        in_reach = not page.of or walk.reaches(walk.world.mine, page.of)
        open_to = walk.may(page.get) and in_reach
        status = walk.visit("get", url)
        assert (status in (200, 302)) is open_to or _asks_more(name, status), url
        if page.of and not (walk.may(page.post) and in_reach):
            status = walk.visit("post", url, {"post": "yes"})
            assert status in (403, 404) or _shows_only(page, status), (url, status)


def _asks_more(name: str, status: int) -> bool:
    """The picker says 403 to whoever names no field."""
    return name == "autocomplete" and status == 403


def _shows_only(page: Page, status: int) -> bool:
    """A page that takes no orders shows itself again."""
    return page.get == page.post and status == 200


def test_superusers_pages_are_closed(walk: Walk) -> None:
    for name, page in every_page():
        if page.of.startswith("auth."):
            pk = walk.world.row(walk.world.mine, page.of).pk
            url = reverse(f"admin:{name}", kwargs={page.argument: pk})
            for method in ("get", "post"):
                assert walk.visit(method, url) in (403, 404), url


def test_no_list_search_or_filter_leads_to_another_community(walk: Walk) -> None:
    theirs = walk.world.theirs
    for label in MODELS:
        if label.startswith("auth."):
            continue
        url = reverse(f"admin:{name_of(label, 'changelist')}")
        lookups = [f"?q={word}" for word in ("unreleased", "tara", "hidden")]
        for field in model_of(label)._meta.get_fields():
            if field.many_to_one and field.related_model is not None:
                other = field.related_model._meta.label_lower
                if other in MODELS:
                    pk = walk.world.row(theirs, other).pk
                    lookups += [f"?{field.name}={pk}", f"?{field.name}__id__exact={pk}"]
        for lookup in lookups:
            assert walk.visit("get", url + lookup) in (200, 302, 400, 403)


def test_no_picker_offers_what_is_not_ones_own(walk: Walk) -> None:
    for model in admin.site._registry:
        for field in model._meta.get_fields():
            if not (field.many_to_one and field.related_model in admin.site._registry):
                continue
            query = {
                "app_label": model._meta.app_label,
                "model_name": model._meta.model_name,
                "field_name": field.name,
                "term": "",
            }
            assert walk.visit("get", reverse("admin:autocomplete"), query) in (200, 403)


def actions_on(of: FeedbackType, label: str) -> list[str]:
    """Those that a superuser has on the list of the other community's rows."""
    request = RequestFactory().get("/", {"type": of.pk})
    request.user = factories.superuser(f"root-{label}")
    return list(admin.site._registry[model_of(label)].get_actions(request))  # type: ignore[index]


def test_no_action_reaches_what_is_not_ones_own(walk: Walk) -> None:
    theirs = walk.world.theirs
    run = walk.world.row(theirs, "logs.run")
    for label in MODELS:
        if label.startswith("auth."):
            continue
        pk = walk.world.row(theirs, label).pk
        url = reverse(f"admin:{name_of(label, 'changelist')}")
        query = f"?type={theirs.pk}" if label == "feedback.feedback" else ""
        for action in actions_on(theirs, label):
            for across in ("0", "1"):
                for confirmed in ({}, {"post": "yes", "confirmed_count": "1"}):
                    data = {
                        "action": action,
                        "index": "0",
                        "select_across": across,
                        "_selected_action": [pk],
                        "run_key": run.key,
                        **confirmed,
                    }
                    walk.visit("post", url + query, data)
                    walk.visit("post", url, data)


def test_without_a_sign_in_every_page_asks_for_one(
    client: Client, record_property: Callable[[str, int], None]
) -> None:
    world = World.build()
    walked = [label for label in MODELS if not label.startswith("auth.")]
    actions = sum(len(actions_on(world.theirs, label)) for label in walked)
    record_property("walk_actions", actions)
    login = reverse("admin:login")
    for name, page in every_page():
        kwargs = {}
        if page.of:
            kwargs = {page.argument: world.row(world.mine, page.of).pk}
        try:
            url = reverse(f"admin:{name}", kwargs=kwargs)
        except NoReverseMatch:
            continue
        for method in ("get", "post"):
            response = getattr(client, method)(url)
            assert response.status_code in (302, 405), url
            assert response.url.startswith(login), url
