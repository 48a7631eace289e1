"""Record lookups: where programs read one record. Not a part of the REST API."""

from __future__ import annotations

from datetime import UTC
from typing import Any

from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from rest_framework.exceptions import NotAuthenticated
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from ..access.addresses import client_address
from ..access.roles import LOOK_UP
from ..access.unlocking import locked_message
from ..lookups import (
    LookupBroken,
    NoRecord,
    SeveralRecords,
    TooManyMisses,
    columns_of,
    find,
)
from ..models import LookupKind, PackageFormat, RecordLookup
from ..packages.writing import CONTENT_TYPES, csv_header, writer_of
from ..rest.authentication import SessionAuthentication
from ..rest.key_places import PLACES, KeyInAnyPlace
from ..rest.permissions import lacks
from ..rest.problems import Problem, in_parameter, invalid

FORMAT = "format"
_FORMATS = (PackageFormat.JSON, PackageFormat.CSV)


class LookupKey(KeyInAnyPlace):
    realm = "CenterHook data"


class MayLookUp(BasePermission):
    def has_permission(self, request: Request, view: APIView) -> bool:
        if not request.user.is_authenticated:
            raise NotAuthenticated(f"Send an API key with the scope 'data' {PLACES}.")
        if not request.user.has_perm(LOOK_UP):
            raise lacks(request.user, LOOK_UP)
        return True


class RecordView(APIView):
    """Chosen fields of the record that the URL names."""

    authentication_classes = [LookupKey, SessionAuthentication]
    permission_classes = [MayLookUp]
    http_method_names = ["get", "head"]
    schema = None

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:
        """Nothing is refused for the type that it asks for: a parameter says which."""
        return super().perform_content_negotiation(request, force=True)

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """In UTC: TIME_ZONE is for people."""
        with timezone.override(UTC):
            return super().dispatch(request, *args, **kwargs)

    def get(self, request: Request, community: str, key: str) -> HttpResponse:
        lookup = _lookup(request, community, key)
        given, form = _given(request, lookup), _format(request)
        try:
            columns = columns_of(lookup)
        except LookupBroken as error:
            raise Problem(409, "lookup_broken", str(error)) from error
        noun = LookupKind(lookup.subject_kind).label.lower()
        address = client_address(request)
        try:
            values = find(lookup, columns, given, request.user, address)
        except ValidationError as error:
            fault = in_parameter(lookup.parameter, " ".join(error.messages))
            raise invalid([fault]) from error
        except NoRecord as error:
            message = f"There is no {noun} with this {lookup.parameter}."
            raise Problem(404, "record_not_found", message) from error
        except SeveralRecords as error:
            message = f"Several {noun}s have this {lookup.parameter}: one is needed."
            raise Problem(409, "several_records", message) from error
        except TooManyMisses as refusal:
            problem = Problem(429, "too_many_misses", str(refusal))
            problem.wait = refusal.wait
            raise problem from refusal
        header = csv_header(columns) if form == PackageFormat.CSV else b""
        content = header + writer_of(columns, form)(values)
        return HttpResponse(content, content_type=CONTENT_TYPES[form])


def _lookup(request: Request, community: str, key: str) -> RecordLookup:
    """Raises Http404, which says the same of one that is not the caller's."""
    rows = RecordLookup.objects.visible_to(request.user, LOOK_UP)
    owners = ("community", "project", "feedback_type__project")
    named = rows.filter(community=int(community), key=key)
    lookup = named.select_related(*owners).first()
    if lookup is None or any(
        each and each.deleting_since
        for each in (lookup.community, lookup.project, lookup.feedback_type)
    ):
        raise Http404("There is no record lookup of this key for you.")
    if not lookup.is_active:
        message = f"The record lookup {lookup} is switched off."
        raise Problem(410, "lookup_off", message)
    if not lookup.community.is_unlocked():
        message = locked_message(lookup.community, "Record lookups")
        raise Problem(403, "locked", message)
    return lookup


def _given(request: Request, lookup: RecordLookup) -> str:
    wanted = lookup.parameter
    faults = [
        in_parameter(name, f"This takes '{wanted}' and '{FORMAT}' only.")
        for name in request.query_params
        if name not in (wanted, FORMAT)
    ]
    values = request.query_params.getlist(wanted)
    if len(values) != 1 and not faults:
        problem = "Give it once: it says which record is meant."
        faults = [in_parameter(wanted, problem)]
    if faults:
        raise invalid(faults)
    return values[0]


def _format(request: Request) -> str:
    form = request.query_params.get(FORMAT, "json")
    if form not in _FORMATS:
        raise invalid([in_parameter(FORMAT, "Give json or csv.")])
    return form
