"""A list is narrowed by its own filters, and by no other look-up of the database."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import Model
from django.test import Client, RequestFactory
from django.urls import reverse

from feedback.admin.lists import ConditionsAdmin
from feedback.console.parameters import CheckedAdmin
from feedback.selection.compiler import MAX_VALUES
from feedback.selection.conditions import MAX_WORDS
from feedback.selection.filtersets import MAX_CONDITIONS
from tests import factories

pytestmark = pytest.mark.django_db

REGISTERED = list(admin.site._registry.items())
MODELS = [model for model, _ in REGISTERED]
DATES = ("__gte", "__lt")
HIERARCHY = ("__year", "__month", "__day")
# All that each list may be narrowed by through Django; whoever adds one, adds it here.
DECLARED = {
    "auth.group": set(),
    "auth.user": {
        *(f"is_{flag}__exact" for flag in ("active", "superuser")),
    },
    "feedback.apikey": {"state"},
    "feedback.community": set(),
    "feedback.datapackage": {
        *("is_active__exact", "feedback_type", "project", "community"),
    },
    "feedback.externalsource": {"feedback_type", "is_active__exact"},
    "feedback.feedback": {f"created_at{part}" for part in HIERARCHY},
    "feedback.feedbacktype": set(),
    "feedback.filter": {
        *("subject_kind__exact", "subject_kind__isnull"),
        *("feedback_type", "project"),
    },
    "feedback.keyuse": {
        *("api_key", "outcome__exact", "outcome__isnull"),
        *(f"last_at{part}" for part in DATES),
    },
    "feedback.member": set(),
    "feedback.project": {"is_template__exact"},
    "feedback.recordlookup": {"is_active__exact"},
    "feedback.tester": set(),
    "logs.auditentry": {
        *("action__exact", "action__isnull", "object", "object_type", "who"),
        *(f"moment{part}" for part in HIERARCHY),
    },
    "logs.delivery": {
        *("state__exact", "state__isnull", "last_error", "response", "cause"),
        *("run", "run__macro", "feedback", "tester", "destination"),
        *(f"finished_at{part}" for part in (*DATES, "__isnull")),
    },
    "logs.destination": {"standing"},
    "logs.run": {
        *("state__exact", "state__isnull", "cause__exact", "cause__isnull"),
        *("trigger", "schedule", "listener"),
        *(f"created_at{part}" for part in (*DATES, *HIERARCHY)),
    },
    "macros.inboundcall": {
        *("listener", "outcome", "feedback", "tester"),
        *(f"received_at{part}" for part in DATES),
    },
    "macros.listener": {
        *("is_active__exact", "subject_kind__exact", "subject_kind__isnull"),
        *("feedback_type", "project"),
    },
    "macros.macro": {"is_active__exact", "feedback_type", "feedback_type__isnull"},
    "macros.schedule": {
        *("is_active__exact", "rate__exact", "rate__isnull", "macro"),
    },
    "macros.secret": set(),
    "macros.trigger": {
        *("is_active__exact", "event__exact", "event__isnull", "macro"),
    },
}
# Django gives each flag a look-up for "unknown" as well, which finds nothing.
FLAGS = ("is_active", "is_staff", "is_superuser", "is_template", "is_paused")


@pytest.fixture
def page(olivia: User) -> Client:
    client = Client(raise_request_exception=True)
    client.force_login(olivia)
    return client


@pytest.fixture
def olivia() -> User:
    return factories.superuser()


def page_of(model: type[Model]) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def every_lookup(model: type[Model], depth: int = 2) -> Iterator[str]:
    """The columns and what they are joined to, each with each of its look-ups."""
    for field in model._meta.get_fields():
        name = field.name
        yield name
        for lookup in (*getattr(field, "get_lookups", dict)(), "pk", "some_key"):
            yield f"{name}__{lookup}"
        if field.is_relation and field.related_model and depth > 1:
            below = every_lookup(field.related_model, depth - 1)  # type: ignore[arg-type]
            yield from (f"{name}__{lookup}" for lookup in below)


def declared_by(model: type[Model], olivia: User) -> set[str]:
    request = RequestFactory().get("/")
    request.user = olivia
    checked = admin.site._registry[model]
    assert isinstance(checked, CheckedAdmin), model
    flags = {f"{flag}__isnull" for flag in FLAGS}
    return checked.declared_parameters(request) - flags


def test_each_list_declares_what_it_may_be_narrowed_by(olivia: User) -> None:
    factories.one_of_everything(factories.feedback_type())
    declared = {model._meta.label_lower: declared_by(model, olivia) for model in MODELS}
    assert declared == DECLARED


@pytest.mark.sweep
@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_no_look_up_but_the_declared_ones_passes(model: Any, olivia: User) -> None:
    request = RequestFactory().get("/")
    request.user = olivia
    checked: Any = admin.site._registry[model]
    walked = set(every_lookup(model))
    assert len(walked) > 50
    passed = {each for each in walked if checked.lookup_allowed(each, "1", request)}
    flags = {f"{flag}__isnull" for flag in FLAGS}
    assert passed - flags <= DECLARED[model._meta.label_lower]


@pytest.mark.sweep
@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_a_look_up_of_a_column_is_refused_with_a_sentence(
    model: Any, page: Client
) -> None:
    url = page_of(model)
    if isinstance(admin.site._registry[model], ConditionsAdmin):
        factories.ticket(factories.feedback_type())
    for field in model._meta.concrete_fields:
        for lookup in ("regex", "isnull"):
            name = f"{field.name}__{lookup}"
            # A condition on external data of any name is one of the lists' own.
            if name.startswith(("is_", "external_")):
                continue
            if name in DECLARED[model._meta.label_lower]:
                continue
            response = page.get(f"{url}?{urlencode({name: '^(a+)+$'})}")
            text = response.content.decode()
            if response.status_code == 200:
                assert f"Filter {name}: No such parameter." in text
                assert response.context["cl"].result_count == 0
            else:
                assert response.status_code == 400, name
                assert f"This list has no filter &#x27;{name}&#x27;." in text


@pytest.mark.sweep
@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_what_is_asked_of_a_list_is_bounded(model: Any, page: Client) -> None:
    url = page_of(model)
    for name in (*DECLARED[model._meta.label_lower], "q", "search", "status", "o"):
        for values in (["1"] * 4_000, ["1.a " * 1_500]):
            assert page.get(url, {name: values}).status_code < 500, name


@pytest.mark.sweep
def test_a_search_of_too_many_words_is_refused(page: Client) -> None:
    words = " ".join(["word"] * (MAX_WORDS + 1))
    sentence = f"Search for at most {MAX_WORDS} words"
    for model, registered in REGISTERED:
        url = page_of(model)
        if isinstance(registered, ConditionsAdmin):
            shown = page.get(url, {"search": words})
        elif registered.search_fields:
            shown = page.get(url, {"q": words})
            assert shown.status_code == 400
        else:
            continue
        assert sentence in shown.content.decode(), url
    picked = {"app_label": "macros", "model_name": "macro", "term": words}
    picked["field_name"] = "feedback_type"
    for term in (words, "a" * 600, "\0"):
        picked["term"] = term
        assert page.get("/admin/autocomplete/", picked).status_code == 400


@pytest.mark.sweep
@pytest.mark.parametrize("values", ["a", "1.2", "-", "--1", "²", "9" * 5_000, "1.1.1"])
def test_an_order_that_is_none_is_passed_over(values: str, page: Client) -> None:
    for model in MODELS:
        response = page.get(page_of(model), {"o": values})
        assert response.status_code in (200, 400)


@pytest.mark.sweep
def test_a_popup_points_at_rows_by_their_number_only(page: Client) -> None:
    for model in MODELS:
        for field in model._meta.concrete_fields:
            query = {"_popup": "1", "_to_field": field.name}
            status = page.get(page_of(model), query).status_code
            assert status == (200 if field.primary_key else 400), field


@pytest.mark.parametrize("path", ["feedback", "testers"])
def test_the_api_bounds_what_is_asked_for(page: Client, path: str) -> None:
    url = f"/api/v1/{path}/"
    too_many = {f"external_a{number}": "1" for number in range(MAX_CONDITIONS + 1)}
    assert "at most 60 conditions" in page.get(url, too_many).json()["detail"]
    rows = {"project": [str(number) for number in range(MAX_VALUES + 1)]}
    assert "at most 100 values" in page.get(url, rows).json()["detail"]
    words = {"search": " ".join(["word"] * (MAX_WORDS + 1))}
    assert "at most 30 words" in page.get(url, words).json()["detail"]
    for odd in ({"search": "a " * 1_500}, {"status": ["1"] * 4_000}):
        assert page.get(url, odd).status_code == 400


def test_a_run_asked_for_by_filter_is_bounded(page: Client) -> None:
    bugs = factories.feedback_type()
    factories.ticket(bugs)
    macro = factories.macro(bugs, "https://example.com/")
    url = f"/api/v1/macros/{macro.pk}/runs/"
    for conditions, sentence in (
        ({f"external_a{n}": "1" for n in range(4_000)}, "at most 60 conditions"),
        ({"status": list(range(4_000))}, "at most 100 values"),
        ({"search": "a b " * 40}, "at most 30 words"),
    ):
        response = page.post(url, {"filter": conditions}, "application/json")
        assert response.status_code == 400
        assert sentence in response.json()["detail"]
