"""The resend action of the log: a preview first, then the resend."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from feedback.console.scoping import ScopedAdmin
from feedback.selection.confirmed import SelectionChanged, what_changed
from macros import queue
from macros.runs.resend import ResendPreview, ResendRefused, preview_resend, resend
from macros.runs.resend_sample import sample_of

from ..console.wire import Body, headers_of
from ..models import Resend
from ..models.deliveries import DeliveryQuerySet


def resend_selected(
    modeladmin: ScopedAdmin,
    request: HttpRequest,
    deliveries: DeliveryQuerySet,
    *,
    kind: Resend,
) -> HttpResponse | None:
    """The confirmation page on the first POST, the resend on the second.

    The page carries a digest of what was confirmed: if anything else would go out by
    then, people are asked again. Nothing at all is fine, as after a double click.
    """
    back = _page_of(deliveries)
    confirmed = "confirmed_count" in request.POST
    try:
        if confirmed and _resend(request, deliveries, kind):
            return HttpResponseRedirect(back) if back else None
        preview = preview_resend(deliveries, kind, request.user)
    except ResendRefused as refusal:
        messages.error(request, str(refusal))
        return None
    if confirmed:
        count = request.POST["confirmed_count"]
        messages.warning(request, what_changed(count, preview.count))
    return _confirmation(modeladmin, request, kind, preview, deliveries)


def _resend(request: HttpRequest, deliveries: DeliveryQuerySet, kind: Resend) -> bool:
    """False where these are not the deliveries that were confirmed."""
    digest = request.POST.get("confirmed_selection", "")
    try:
        count = resend(deliveries, kind, request.user, confirmed=digest).count
    except SelectionChanged:
        return False
    if count:
        noun = "delivery is" if count == 1 else "deliveries are"
        messages.success(request, f"{count:,} {noun} sent again: {kind.label.lower()}.")
    else:
        messages.warning(request, "Nothing was resent: none of these can be by now.")
    return True


def _page_of(deliveries: DeliveryQuerySet) -> str:
    """Where to look at the resend: on the one delivery, the one run, or the list."""
    rows = deliveries.order_by()
    pks = rows.values_list("pk", flat=True)[:2]
    runs = rows.values_list("run", flat=True).distinct()[:2]
    for name, only in (("delivery", list(pks)), ("run", list(runs))):
        if len(only) == 1:
            return reverse(f"admin:logs_{name}_change", args=only)
    return ""


def _confirmation(
    modeladmin: ScopedAdmin,
    request: HttpRequest,
    kind: Resend,
    preview: ResendPreview,
    deliveries: DeliveryQuerySet,
) -> HttpResponse:
    across = request.POST.get("select_across") == "1"
    sample = sample_of(deliveries, kind, request.user) if preview.count else None
    context: dict[str, object] = {
        **modeladmin.admin_site.each_context(request),
        "title": f"Resend: {kind.label.lower()}",
        "opts": modeladmin.opts,
        "kind": kind.value,
        "preview": preview,
        "sample": sample,
        "sample_headers": headers_of(sample.request.headers) if sample else [],
        "sample_body": Body(sample.request.body, sample.request.headers)
        if sample
        else None,
        "back": _page_of(deliveries) or request.get_full_path(),
        "has_worker": queue.has_worker(),
        "action_name": request.POST["action"],
        "checkbox_name": ACTION_CHECKBOX_NAME,
        "select_across": across,
        "selected": request.POST.getlist(ACTION_CHECKBOX_NAME)[: 1 if across else None],
    }
    return TemplateResponse(request, "admin/logs/delivery/resend.html", context)
