"""Whatever others write is shown as text, on every page that shows it."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import models
from django.test import Client
from django.urls import reverse

from feedback.access.roles import Role
from feedback.models import DataPackage, Feedback, FeedbackType, Filter, RecordLookup
from feedback.models import Tester as Person
from logs.models import Attempt, Delivery, Run, Transcript
from macros.models import Macro
from tests import factories

from . import pages

SHORT = '%s"><hostile>'
LONG = (
    "\"'></pre></textarea></title></script><script>hostile()</script>"
    "<img src=x onerror=hostile()><hostile>50% off %(off)s {0} {off.off}"
)
# Machines read these and would stumble; people can't set them to anything.
READ_BY_MACHINES = {
    *("DataPackage.key", "Macro.retry_ladder", "RecordLookup.key"),
    *("Run.key", "Secret.ciphertext"),
}
TICKETS = reverse("admin:feedback_feedback_changelist")
LOG = reverse("admin:logs_delivery_changelist")


class Markup(HTMLParser):
    """The tags of a page that a browser would run and that are not ours."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = {name for name, _ in attrs}
        if tag == "hostile" or any(name.startswith("on") for name in names):
            self.tags.append(f"<{tag} {names}>")

    def handle_data(self, data: str) -> None:
        self.text += data


def assert_shown_as_text(response: Any, where: str) -> str:
    assert response.status_code == 200, where
    parsed = Markup(response.content.decode())
    assert parsed.tags == [], where
    return parsed.text


def test_the_reader_finds_markup() -> None:
    assert Markup(f'<input value="{SHORT}">').tags
    assert Markup("<img src=x onerror=hostile()>").tags
    assert not Markup("<p>&lt;hostile&gt;</p>").tags


def text_fields(model: type[models.Model]) -> list[models.Field[Any, Any]]:
    """Those with room for markup in them."""
    return [
        field
        for field in model._meta.concrete_fields
        if isinstance(field, models.CharField | models.TextField)
        and not field.choices
        and f"{model.__name__}.{field.name}" not in READ_BY_MACHINES
        and (field.max_length or 999) >= len(SHORT) + 6
    ]


@pytest.fixture
def planted(db: None) -> FeedbackType:
    """A row of everything, each of its texts hostile."""
    made = factories.feedback_type()
    factories.one_of_everything(made)
    ours = [apps.get_app_config(app) for app in ("feedback", "logs", "macros")]
    for model in [model for config in ours for model in config.get_models()]:
        for row in model._default_manager.all():
            texts = {
                field.name: f"{row.pk}{LONG}"
                if (field.max_length or 999) >= len(LONG) + 8
                else f"{row.pk}{SHORT}"
                for field in text_fields(model)
            }
            # Past managers that refuse: the audit log is written once.
            models.QuerySet(model).filter(pk=row.pk).update(**texts)
    answers = dict.fromkeys(("severity", "app_version", "steps", "page"), LONG)
    Feedback.objects.update(form_values=answers, external_data={LONG: LONG})
    Person.objects.update(external_data={LONG: [LONG, {LONG: LONG}]})
    FeedbackType.objects.update(external_columns=LONG)
    User.objects.filter(username="Everything").update(username=LONG, last_name=LONG)
    return made


@pytest.mark.sweep
def test_every_page_shows_it_as_text(page: Client, planted: FeedbackType) -> None:
    for url in pages.urls():
        assert_shown_as_text(page.get(url), url)
    for url, form in pages.confirmations():
        assert_shown_as_text(page.post(url, form), str(form))


LOST = [
    {"name": LONG, "type": LONG},
    {"name": f"field_{LONG}", "type": "text"},
    {"name": f"external_{LONG}", "type": "number"},
]
KEPT = [{"name": name, "type": "text"} for name in ("title", "status", "external_x")]


@pytest.mark.parametrize("role", [Role.PROJECT_MANAGER, Role.OBSERVER])
@pytest.mark.parametrize("columns", [LOST, KEPT], ids=["lost", "kept"])
@pytest.mark.parametrize("model", [DataPackage, RecordLookup])
def test_the_columns_of_tables_are_text(
    client: Client, planted: FeedbackType, model: Any, columns: list[Any], role: str
) -> None:
    """Their names and their filter, which are lost, and values in the first rows."""
    Feedback.objects.update(external_data={"x": LONG, "y": {LONG: LONG}})
    model.objects.update(columns=columns)
    if columns == LOST:
        saved = Filter.objects.get()
        wrong = {"field": f"field_{LONG}", "qualifier": LONG, "value": LONG}
        saved.conditions["conditions"] = [wrong]
        Filter.objects.update(conditions=saved.conditions)
        DataPackage.objects.update(filter=saved)
    client.force_login(factories.member(planted, role))
    row, name = model.objects.get(), f"admin:feedback_{model._meta.model_name}"
    rows, page = reverse(f"{name}_changelist"), reverse(f"{name}_change", args=[row.pk])
    assert_shown_as_text(client.get(rows), rows)
    shown = assert_shown_as_text(client.get(page), page)
    if columns == LOST:
        assert "field_" in shown
    elif model == DataPackage:
        assert "</script>" in shown.partition("First rows")[2]


@pytest.mark.parametrize("field", ["DataPackage.key", "RecordLookup.key"])
def test_what_stands_in_a_url_is_refused(field: str) -> None:
    model, _, name = field.partition(".")
    column: Any = apps.get_model("feedback", model)._meta.get_field(name)
    for text in (SHORT, LONG, "a/b", "a b", "..", "a\n", ""):
        with pytest.raises(ValidationError):
            column.clean(text, None)


@pytest.mark.parametrize(
    "model", [Feedback, Person, Macro, Run, Delivery], ids=lambda model: model.__name__
)
def test_it_can_be_read_where_it_belongs(
    page: Client, planted: FeedbackType, model: type[models.Model]
) -> None:
    """Else the test above would pass on pages that show nothing."""
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
    row = model._default_manager.get()
    for url in (
        reverse(f"{name}_changelist"),
        reverse(f"{name}_change", args=[row.pk]),
    ):
        html = page.get(url).content.decode()
        assert "&lt;hostile&gt;" in html, url


def test_what_came_over_the_wire_is_shown_as_text(
    page: Client, planted: FeedbackType
) -> None:
    kept = {"error_class": "http", "message": LONG, "status": 404, "method": "POST"}
    texts = ["url", "request_headers", "request_body"]
    texts += ["response_headers", "response_body"]
    sent = {name: f"{name} {LONG} \u202egnp.exe\x1b[2J" for name in texts}
    Attempt.objects.update(**kept)
    Transcript.objects.update(**sent)
    delivery = Delivery.objects.get()

    url = reverse("admin:logs_delivery_change", args=[delivery.pk])
    text = assert_shown_as_text(page.get(url), url)

    for name in texts:
        named = f"{name} {LONG} ⟨U+202E right-to-left override⟩gnp.exe␛[2J"
        assert named in text
    assert LONG in text and "Refused by the destination" in text


def test_a_runs_progress_is_text_too(page: Client, planted: FeedbackType) -> None:
    run = Run.objects.get()
    progress = page.get(reverse("admin:logs_run_progress", args=[run.pk])).json()
    assert Markup(progress["html"]).tags == []
    assert "&lt;hostile&gt;" in progress["html"]


def test_what_was_searched_for_is_text(page: Client, planted: FeedbackType) -> None:
    for url, beside in ((TICKETS, {}), (TICKETS, {"type": planted.pk}), (LOG, {})):
        for name in ("q", "submitter", "p", LONG):
            response = page.get(url, {name: LONG, **beside}, follow=True)
            if url == LOG and name in ("submitter", LONG):
                assert response.status_code == 400
                assert Markup(response.content.decode()).tags == []
            else:
                assert_shown_as_text(response, f"{url} {name}")


def test_the_words_of_a_selection_are_text(page: Client, planted: FeedbackType) -> None:
    macro = factories.macro(planted, "https://example.com/")
    Feedback.objects.update(title="<hostile>")
    url = f"{TICKETS}?type={planted.pk}&search=%3Chostile%3E"
    form = {"action": f"macro_{macro.pk}", "index": "0", "select_across": "1"}
    response = page.post(url, {**form, "_selected_action": "1"})
    assert "Search: <hostile>" in assert_shown_as_text(response, url)

    Run.objects.update(selection="search: <hostile>")
    run = reverse("admin:logs_run_change", args=[Run.objects.get().pk])
    assert "search: <hostile>" in assert_shown_as_text(page.get(run), run)


def test_a_message_to_people_is_text(page: Client, planted: FeedbackType) -> None:
    macro, run = Macro.objects.get(), Run.objects.get()
    for name, pk in [
        ("macros_macro_pause", macro.pk),
        ("macros_macro_resume", macro.pk),
    ]:
        response = page.post(reverse(f"admin:{name}", args=[pk]), follow=True)
        assert "<hostile> is " in assert_shown_as_text(response, name)
    response = page.post(reverse("admin:logs_run_pause", args=[run.pk]), follow=True)
    assert_shown_as_text(response, "pause")
    tester = Person.objects.get()
    change = reverse("admin:feedback_tester_delete", args=[tester.pk])
    response = page.post(change, {"post": "yes"}, follow=True)
    assert "<hostile>" in assert_shown_as_text(response, "delete")


def test_an_error_in_a_form_is_text(page: Client, planted: FeedbackType) -> None:
    form = {
        "feedback_type": planted.pk,
        "name": LONG,
        "retry_ladder": LONG,
        "steps-TOTAL_FORMS": "1",
        "steps-INITIAL_FORMS": "0",
        "steps-0-position": LONG,
        "steps-0-method": LONG,
        "steps-0-url": "https://example.com/((<hostile>))",
        "steps-0-headers": f"((<hostile>)): {LONG}",
        "steps-0-body": f"((<hostile>)) {LONG}",
        "steps-0-body_kind": "json",
    }
    response = page.post(reverse("admin:macros_macro_add"), form)
    text = assert_shown_as_text(response, "macro")
    assert "<hostile>" in text and "Please correct the errors below" in text


def test_a_stranger_is_shown_as_text_what_they_sent(client: Client, db: None) -> None:
    login = reverse("admin:login")
    response = client.post(f"{login}?next={LONG}", {"username": LONG, "password": LONG})
    assert_shown_as_text(response, login)
    assert Markup(client.get(f"/{LONG}").content.decode()).tags == []


def test_a_megabyte_is_shown_and_does_not_slip_out(page: Client, db: None) -> None:
    bugs = factories.feedback_type()
    ticket = factories.ticket(bugs, description=LONG * 10_000)
    change = reverse("admin:feedback_feedback_change", args=[ticket.pk])
    assert LONG * 10_000 in assert_shown_as_text(page.get(change), change)
    assert_shown_as_text(page.get(TICKETS), TICKETS)


@pytest.mark.parametrize("name", ["50% off", "%s", "%(x)s", "%%", "100%", "{0}"])
def test_a_macro_is_offered_by_the_name_it_has(
    page: Client, db: None, name: str
) -> None:
    bugs = factories.feedback_type()
    factories.ticket(bugs, submitter=factories.tester(bugs))
    community = bugs.project.community
    community.name = f"{name} Labs"
    community.save()
    for owner in (bugs, bugs.project, community):
        factories.macro(owner, "https://example.com/", name=name)
    tickets = page.get(TICKETS, {"type": bugs.pk}).context["action_form"]
    testers = page.get(reverse("admin:feedback_tester_changelist"))
    offered = dict(tickets.fields["action"].choices).values()
    assert name in offered
    offered = dict(testers.context["action_form"].fields["action"].choices).values()
    labels = [str(label).lower() for label in offered]
    assert f"{name} (all testers of {name} Labs)".lower() in labels
