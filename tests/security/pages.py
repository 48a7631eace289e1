"""Every page of the admin that is registered, with a row to show."""

from __future__ import annotations

from collections.abc import Iterator

from django.contrib import admin
from django.db.models import Model
from django.urls import reverse

from feedback.models import Feedback, FeedbackType
from logs.models import Delivery, Run
from macros.models import InboundCall, Macro


def urls() -> Iterator[str]:
    """The address of every page that is reached by GET."""
    yield reverse("admin:index")
    yield reverse("admin:password_change")
    yield f"{reverse('admin:feedback_feedback_add')}?{_of_a_type()}"
    yield f"{reverse('admin:feedback_feedback_changelist')}?{_of_a_type()}"
    for app in sorted({model._meta.app_label for model in admin.site._registry}):
        yield reverse("admin:app_list", args=[app])
    for model in sorted(admin.site._registry, key=lambda model: model._meta.label):
        yield from _of(model)


def _of_a_type() -> str:
    return f"type={FeedbackType.objects.get().pk}"


NOT_DELETED = ("destination", "auditentry", "keyuse", "inboundcall")


def _of(model: type[Model]) -> Iterator[str]:
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
    changes = admin.site._registry[model]
    yield reverse(f"{name}_changelist")
    yield reverse(f"{name}_changelist") + "?_popup=1"
    if changes.has_add_permission.__qualname__.startswith(("ModelAdmin", "UserAdmin")):
        yield reverse(f"{name}_add")
    row = model._default_manager.first()
    if row is None:
        return
    pages = ["change"]
    if model not in (Delivery, Run) and model._meta.model_name not in NOT_DELETED:
        pages.append("delete")
    yield from (reverse(f"{name}_{page}", args=[row.pk]) for page in pages)


def confirmations() -> Iterator[tuple[str, dict[str, str]]]:
    """The address and form of every page that asks before something is done."""
    tickets = f"{reverse('admin:feedback_feedback_changelist')}?{_of_a_type()}"
    log = reverse("admin:logs_delivery_changelist")
    ticket, delivery = Feedback.objects.first(), Delivery.objects.first()
    call, calls = InboundCall.objects.first(), "admin:macros_inboundcall_changelist"
    assert ticket and delivery and call
    for url, action, row in (
        (tickets, f"macro_{Macro.objects.get().pk}", ticket),
        (tickets, "delete_selected", ticket),
        (log, "resend_same", delivery),
        (log, "resend_anew", delivery),
        (reverse(calls), "replay", call),
    ):
        form = {"action": action, "index": "0", "_selected_action": str(row.pk)}
        yield url, {**form, "select_across": "0"}
