"""External sources: where other programs send tickets. Not a part of the REST API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from django.conf import settings
from django.http import Http404
from django.urls import reverse
from rest_framework.exceptions import NotAuthenticated
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from ..access.keys import KeyActor
from ..access.roles import CALL_SOURCE
from ..attachments.adding import digest_of
from ..models import ExternalSource, Feedback
from ..rest.idempotency import fingerprint, key_of
from ..rest.key_places import PLACES, KeyInAnyPlace
from ..rest.parsing import ExactJSONParser, FormParser, MultiPartParser
from ..rest.permissions import lacks
from ..rest.problems import Problem, in_body, in_parameter, invalid
from ..sources.faults import SubmissionRefused
from ..sources.members import KEY_PARAMETER, Files
from ..sources.submitting import KeyReused, TicketGone, submit


class SourceAuthentication(KeyInAnyPlace):
    """Programs only: a browser's session sends nothing."""

    realm = "CenterHook sources"

    def authenticate(self, request: Request) -> tuple[KeyActor, None]:
        known = super().authenticate(request)
        if known is None:
            raise NotAuthenticated(
                f"Send an API key with the scope 'listener' {PLACES}."
            )
        return known


class MayCall(BasePermission):
    def has_permission(self, request: Request, view: APIView) -> bool:
        if not request.user.has_perm(CALL_SOURCE):
            raise lacks(request.user, CALL_SOURCE)
        return True


class SourceView(APIView):
    """Makes a ticket of the source's feedback type."""

    authentication_classes = [SourceAuthentication]
    permission_classes = [MayCall]
    parser_classes = [ExactJSONParser, FormParser, MultiPartParser]
    http_method_names = ["post"]
    schema = None

    def post(self, request: Request, key: str) -> Response:
        source = _source(request, key)
        for name in request.query_params:
            if name != KEY_PARAMETER:
                problem = "The URL takes no such parameter: send members in the body."
                raise invalid([in_parameter(name, problem)])
        once = key_of(request, "source", source.pk)
        sent = cast(Mapping[str, object], request.data)
        try:
            ticket = submit(source, sent, once, _fingerprint(sent) if once else "")
        except SubmissionRefused as refusal:
            faults = [in_body(each.path, each.sentence) for each in refusal.faults]
            raise invalid(faults) from refusal
        except KeyReused as refusal:
            raise Problem(422, "idempotency_key_reused", str(refusal)) from refusal
        except TicketGone as refusal:
            raise Problem(410, "ticket_deleted", str(refusal)) from refusal
        row = reverse("api:feedback-detail", args=[ticket.pk])
        headers = {"Location": f"{settings.BASE_URL}{row}"}
        return Response(_body(ticket), 201, headers=headers)


def _fingerprint(sent: Mapping[str, object]) -> str:
    """Files by their names and what is in them."""
    return fingerprint(
        {
            name: [[each.name, digest_of(each)] for each in value]
            if isinstance(value, Files)
            else value
            for name, value in sent.items()
        }
    )


def _source(request: Request, key: str) -> ExternalSource:
    """Raises Http404, which says the same of one that is not the caller's."""
    related = ("feedback_type__project__community", "default_status")
    sources = ExternalSource.objects.visible_to(request.user, CALL_SOURCE)
    rows = sources.select_related(*related, "default_submitter").filter(key=key)
    source = rows.first()
    if source is None or source.feedback_type.is_being_deleted:
        raise Http404("There is no external source of this key for your API key.")
    if not source.is_active:
        message = f"The external source {source} is switched off."
        raise Problem(410, "source_off", message)
    return source


def _body(ticket: Feedback) -> dict[str, object]:
    page = reverse("admin:feedback_feedback_change", args=[ticket.pk])
    return {
        "id": ticket.pk,
        "reference": ticket.reference,
        "url": f"{settings.BASE_URL}{page}",
    }
