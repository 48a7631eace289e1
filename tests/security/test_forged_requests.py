"""Addresses and forms that no page of ours leads to never get a 500."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from feedback.models import Feedback, FeedbackType, FormField
from logs.models import Run
from macros.models import Macro
from tests import factories

pytestmark = pytest.mark.sweep

BIG = "9" * 23
ODD = [
    "",
    BIG,
    f"-{BIG}",
    "-1",
    "1e400",
    "nan",
    "²",
    "９",
    "\0",
    "x",
    "99999",
    "\u202e",
]
ODD += ["x" * 3000, "1.5", "0001-01-01T00:00:00Z", "2024-99-99", "[", "((", "1,2", "\n"]
VALUES = st.sampled_from(ODD) | st.text(max_size=20)
TICKETS = reverse("admin:feedback_feedback_changelist")
# Enough to be found again within seconds; the same ones every time.
often = settings(
    max_examples=40,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
MODELS = sorted(admin.site._registry, key=lambda model: model._meta.label)


def page_of(model: Any, name: str, *args: object) -> str:
    label = f"{model._meta.app_label}_{model._meta.model_name}"
    return reverse(f"admin:{label}_{name}", args=args)


@pytest.fixture
def rows(page: Client) -> FeedbackType:
    made = factories.feedback_type()
    factories.one_of_everything(made)
    return made


def status_of(page: Client, url: str, data: dict[str, Any] | None = None) -> int:
    """The status of the response; whatever was done is undone again."""
    with transaction.atomic():
        if data is None:
            status = page.get(url).status_code
        else:
            status = page.post(url, data).status_code
        transaction.set_rollback(True)
    assert status < 500, (url[:200], data)
    return status


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_a_list_takes_any_parameter(page: Client, rows: Any, model: Any) -> None:
    fields = [field.name for field in model._meta.fields]
    names = [*fields, "q", "p", "o", "all", "e", "_facets", "_popup", "_to_field"]
    names += ["feedback_type", "status", "submitter", "run__macro", "open"]
    names += ["_changelist_filters", "created_at__year", "created_at__month"]
    url = page_of(model, "changelist")
    for name in names:
        for value in (BIG, "99999", "\0"):
            for lookup in ("", "__exact", "__in"):
                status_of(page, f"{url}?{urlencode({name + lookup: value})}")


@pytest.mark.parametrize(
    "query", [f"feedback_type={BIG}", f"created_at__year={BIG}", f"id__in={BIG}"]
)
def test_a_number_no_column_holds_finds_nothing(
    page: Client, rows: Any, query: str
) -> None:
    response = page.get(f"{TICKETS}?{query}", follow=True)
    assert response.status_code == 200


@often
@given(
    st.dictionaries(
        st.sampled_from(
            [
                "q",
                "p",
                "o",
                "feedback_type",
                "submitter",
                "created_at__year",
                "created_at__month",
                "created_at__day",
                "created_at__gte",
                "status",
                "field_severity",
                "field_platform",
                "visibility",
                "open",
            ]
        ),
        VALUES,
    )
)
def test_the_list_of_tickets_takes_any_mixture(
    page: Client, rows: FeedbackType, query: dict[str, str]
) -> None:
    status_of(page, f"{TICKETS}?{urlencode(query)}")
    ours = {"feedback_type": str(rows.pk), **query}
    status_of(page, f"{TICKETS}?{urlencode(ours)}")


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_a_row_of_any_number_is_looked_for(page: Client, rows: Any, model: Any) -> None:
    for name in ("change", "delete", "history"):
        for value in ("99999999999999999999999", "%00", "_", "²", "-1", "%ED%A0%80"):
            url = page_of(model, name, "PK").replace("PK", value)
            assert status_of(page, url) in (302, 403, 404), url


@pytest.mark.parametrize("pk", [BIG, "\0", "x", "²", "1.5"])
@pytest.mark.parametrize("across", ["0", BIG])
@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_an_action_on_what_is_no_row_is_refused(
    page: Client, rows: Any, model: Any, across: str, pk: str
) -> None:
    form = {"index": "0", "select_across": across, ACTION_CHECKBOX_NAME: [pk]}
    for action in ("delete_selected", f"macro_{Macro.objects.get().pk}", "resend_same"):
        status = status_of(
            page, page_of(model, "changelist"), form | {"action": action}
        )
        # A list without actions is shown again.
        assert status in (200, 302, 400, 403), (action, status)


@often
@given(
    st.fixed_dictionaries(
        {
            "index": VALUES,
            "select_across": VALUES,
            "run_key": VALUES,
            "confirmed_count": VALUES,
            "action": st.sampled_from(["macro", "resend_anew", "x"]),
            ACTION_CHECKBOX_NAME: st.lists(VALUES, max_size=3),
        }
    )
)
def test_a_confirmation_takes_any_form(
    page: Client, rows: FeedbackType, form: dict[str, Any]
) -> None:
    ticket, runs = Feedback.objects.get(), Run.objects.count()
    if form["action"] == "macro":
        form = form | {"action": f"macro_{Macro.objects.get().pk}"}
    own = form | {ACTION_CHECKBOX_NAME: [ticket.pk]}
    for url in (f"{TICKETS}?type={rows.pk}", page_of(Run, "changelist")):
        status_of(page, url, form)
        status_of(page, url, own)
    assert Run.objects.count() == runs


@often
@given(
    st.dictionaries(
        st.sampled_from(
            [
                "feedback_type",
                "name",
                "description",
                "retry_ladder",
                "give_up_after",
                "steps-0-step_ptr",
                "steps-0-macro",
                "steps-0-position",
                "steps-0-is_active",
                "steps-0-method",
                "steps-0-url",
                "steps-0-headers",
                "steps-0-body",
                "steps-0-body_kind",
                "steps-0-auth_kind",
                "steps-0-auth_secret",
                "steps-0-auth_user",
                "steps-0-token_url",
                "steps-0-signing_secret",
                "steps-0-token_parameters",
                "_saveasnew",
                "_to_field",
            ]
        ),
        VALUES,
    )
)
def test_the_form_of_a_macro_takes_anything(
    page: Client, rows: FeedbackType, changed: dict[str, str]
) -> None:
    macro = Macro.objects.get()
    whole = {
        "feedback_type": rows.pk,
        "name": "Fuzz",
        "steps-TOTAL_FORMS": "1",
        "steps-INITIAL_FORMS": "0",
        "steps-0-position": "1",
        "steps-0-method": "POST",
        "steps-0-url": "https://example.com/",
        "steps-0-body_kind": "json",
        "steps-0-body": "{}",
    }
    status_of(page, page_of(Macro, "add"), whole | changed)
    status_of(page, page_of(Macro, "change", macro.pk), whole | changed)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_a_form_takes_any_value_in_every_field(
    page: Client, rows: Any, model: Any
) -> None:
    names = [field.name for field in model._meta.fields]
    inlines = ("steps", "comments", "grants", "statuses", "form_fields")
    row = model._default_manager.first()
    urls = [page_of(model, "add")]
    urls += [page_of(model, "change", row.pk)] if row else []
    for value in ODD:
        form = dict.fromkeys(names, value)
        for inline in inlines:
            # Django makes at most 2,000 forms, which takes seconds: not for each.
            total = "1" if value in (BIG, "99999") else value
            form |= {f"{inline}-TOTAL_FORMS": total, f"{inline}-0-id": value}
            form[f"{inline}-INITIAL_FORMS"] = total
        for url in urls:
            status_of(page, url, form)


@often
@given(
    st.fixed_dictionaries(
        {
            "app_label": st.sampled_from(["feedback", "\0", "x"]),
            "model_name": st.sampled_from(["feedback", "\0"]),
            "field_name": st.sampled_from(["submitter", "\0", "id"]),
            "term": VALUES,
            "page": VALUES,
        }
    )
)
def test_a_picker_takes_any_question(
    page: Client, rows: Any, query: dict[str, str]
) -> None:
    status_of(page, f"{reverse('admin:autocomplete')}?{urlencode(query)}")


@pytest.mark.parametrize("order", ["run_pause", "run_cancel", "destination_resume"])
def test_an_order_for_no_row_is_not_found(page: Client, rows: Any, order: str) -> None:
    url = reverse(f"admin:logs_{order}", args=[123456789])
    for number in ("123456789", "9" * 18):
        assert status_of(page, url.replace("123456789", number), {}) == 404
    # What no row can have is no number to us, and to the admin the key of a page.
    for number in ("9" * 19, BIG):
        forged = page.post(url.replace("123456789", number), follow=True)
        assert "exist" in forged.content.decode() or forged.status_code == 404


def test_a_form_of_a_great_many_questions_is_still_saved(page: Client) -> None:
    bugs = factories.feedback_type()
    FormField.objects.bulk_create(
        FormField(feedback_type=bugs, label=f"More {number}", key=f"more_{number}")
        for number in range(150)
    )
    url = page_of(FeedbackType, "change", bugs.pk)
    shown = page.get(url).context
    inlines = [each.formset for each in shown["inline_admin_formsets"]]
    bound = [shown["adminform"].form]
    bound += [form for each in inlines for form in (each.management_form, *each.forms)]
    data: dict[str, Any] = {
        field.html_name: field.value()
        for form in bound
        for field in form
        if field.value() is not None and field.value() is not False
    }
    assert len(data) > 1000
    response = page.post(url, data | {"name": "Renamed"})
    assert response.status_code == 302
    bugs.refresh_from_db()
    assert bugs.name == "Renamed"


def test_more_fields_than_any_form_has_are_refused(page: Client) -> None:
    data = {f"field{number}": "" for number in range(6000)}
    assert page.post(page_of(User, "add"), data).status_code == 400
