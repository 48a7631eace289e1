"""The feedback type whose tickets a page is about, and what it offers for them."""

from __future__ import annotations

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, QueryDict

from macros.models import Macro

from ..access.roles import RUN_MACRO, VIEW_TICKET
from ..models import Feedback, FeedbackType, FormField
from ..selection.conditions import rows_named

# The parameter that says whose list or form is open.
TYPE = "type"


def chosen_type(request: HttpRequest) -> FeedbackType | None:
    """The type whose list or form is open; looked up once a request."""
    if not hasattr(request, "chosen_type"):
        # The list's own parameters come along on the way to a form.
        came_from = QueryDict(request.GET.get("_changelist_filters", ""))
        given = request.GET.getlist(TYPE) or came_from.getlist(TYPE)
        rows = types_for(request).select_related("project__community")
        named = list(rows_named(rows, given[0])[:2]) if len(given) == 1 else []
        request.chosen_type = (  # type: ignore[attr-defined]
            named[0] if len(named) == 1 else None
        )
    return request.chosen_type  # type: ignore[attr-defined,no-any-return]


def listed_questions(feedback_type: FeedbackType) -> list[FormField]:
    """Looked up once a request, which knows its type once."""
    if not hasattr(feedback_type, "listed_questions"):
        questions = list(feedback_type.form_fields.all())
        feedback_type.listed_questions = questions  # type: ignore[attr-defined]
    return feedback_type.listed_questions  # type: ignore[attr-defined,no-any-return]


def types_for(request: HttpRequest) -> QuerySet[FeedbackType]:
    """The types that may be spoken of."""
    return FeedbackType.objects.visible_to(request.user, VIEW_TICKET)


def type_of(request: HttpRequest, ticket: Feedback | None) -> FeedbackType:
    """The type of a form; without a ticket, one was chosen before the form came."""
    feedback_type = ticket.feedback_type if ticket else chosen_type(request)
    if feedback_type is None:
        raise Http404("No feedback type of this number.")
    return feedback_type


def macros_for(
    request: HttpRequest, feedback_type: FeedbackType | None
) -> QuerySet[Macro]:
    """A macro without a type runs on testers, so a list of all types offers none."""
    macros = Macro.objects.visible_to(request.user, RUN_MACRO)
    if feedback_type is None:
        return macros.none()
    return macros.filter(feedback_type=feedback_type, is_active=True)


def macros_for_list(request: HttpRequest) -> list[Macro]:
    """Those that the list offers; looked up once a request."""
    if not hasattr(request, "listed_macros"):
        macros = list(macros_for(request, chosen_type(request)))
        request.listed_macros = macros  # type: ignore[attr-defined]
    return request.listed_macros  # type: ignore[attr-defined,no-any-return]
