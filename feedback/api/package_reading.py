"""Where other programs read data packages. Not a part of the REST API."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from rest_framework.exceptions import NotAuthenticated
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from logs import audit
from logs.models import Action

from ..access.keys import KeyActor
from ..access.roles import READ_PACKAGE
from ..access.unlocking import locked_message
from ..models import DataPackage, PackageFormat, RefreshEvery
from ..packages import files, paging, snapshots
from ..packages.addresses import url_of
from ..packages.tables import PackageBroken, Table, opened
from ..packages.writing import CONTENT_TYPES
from ..rest.authentication import SessionAuthentication
from ..rest.key_places import PLACES, KeyInAnyPlace
from ..rest.permissions import lacks
from ..rest.problems import Problem, in_body, in_parameter, invalid
from ..sources.members import KEY_PARAMETER
from .package_responses import with_live, with_stored

_PAGING = ("changed_since", "page_size", "cursor")


class PackageKey(KeyInAnyPlace):
    realm = "CenterHook data"


class MayRead(BasePermission):
    def has_permission(self, request: Request, view: Any) -> bool:
        if not request.user.is_authenticated:
            how = view.how_to_send_keys
            raise NotAuthenticated(f"Send an API key with the scope 'data' {how}.")
        if not request.user.has_perm(READ_PACKAGE):
            raise lacks(request.user, READ_PACKAGE)
        return True


class PackageView(APIView):
    """For programs with a key, and for people who are signed in."""

    authentication_classes = [PackageKey, SessionAuthentication]
    permission_classes = [MayRead]
    http_method_names = ["get", "head", "options"]
    schema = None
    parameters: tuple[str, ...] = ()
    how_to_send_keys = PLACES

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:
        """Nothing is refused for the type that it asks for: the URL says which."""
        return super().perform_content_negotiation(request, force=True)

    def package(self, request: Request, community: int, key: str) -> DataPackage:
        """Raises Http404, which says the same of one that is not the caller's."""
        for name in request.query_params:
            if name not in (*self.parameters, KEY_PARAMETER):
                problem = "There is no such parameter here."
                raise invalid([in_parameter(name, problem)])
        related = ("feedback_type__project", "project", "community")
        rows = DataPackage.objects.visible_to(request.user, READ_PACKAGE)
        rows = rows.select_related(*related, "filter__feedback_type__project")
        row = rows.filter(community=community, key=key).first()
        if row is None or row.is_being_deleted:
            raise Http404("There is no data package of this key for you or your key.")
        if not row.is_active:
            message = f"The data package {row} is switched off."
            raise Problem(410, "package_off", message)
        if not row.community.is_unlocked():
            message = locked_message(row.community, "Data packages")
            raise Problem(403, "locked", message)
        return row


class RowsView(PackageView):
    """The rows, in the format that the end of the URL names."""

    parameters = _PAGING

    def get(
        self, request: Request, community: int, key: str, form: str
    ) -> HttpResponseBase:
        package = self.package(request, community, key)
        _check_format(package, form)
        table = open_table(package)
        if not package.is_live:
            return self._stored(request, package)
        asked = _asked(request, package)
        if request.method == "HEAD":  # Nothing is made that nobody gets.
            return HttpResponse(content_type=CONTENT_TYPES[form])
        page = paging.page_of(table, asked)
        try:
            made = files.make(page.table, form)
        except files.PackageTooLarge as error:
            raise Problem(409, "package_too_large", str(error)) from None
        note_export(request, package, made.rows)
        return with_live(request, made, form, page.next)

    def _stored(self, request: Request, package: DataPackage) -> HttpResponseBase:
        for name in request.query_params:
            if name in _PAGING:
                problem = "A stored package comes whole. Make it live to read parts."
                raise invalid([in_parameter(name, problem)])
        snapshot = snapshots.newest(package)
        if snapshot is None:
            raise not_made_yet(package)
        note_export(request, package, snapshot.rows)
        return with_stored(request, snapshot)


class SchemaView(PackageView):
    """The columns with their types, and where the rows are."""

    def get(self, request: Request, community: int, key: str) -> Response:
        package = self.package(request, community, key)
        table = open_table(package)
        return Response(described(table))


def described(table: Table) -> dict[str, object]:
    package = table.package
    return {
        "name": package.name,
        "key": package.key,
        "description": package.description,
        "rows": package.what,
        "columns": [
            {**each.kept, "label": each.label, "group": each.group}
            for each in table.columns
        ],
        "is_live": package.is_live,
        "urls": {form: url_of(package, form) for form in package.formats},
    }


def open_table(package: DataPackage, now: datetime | None = None) -> Table:
    """Raises a Problem that names what the package has lost."""
    try:
        return opened(package, now)
    except PackageBroken as broken:
        problem = Problem(
            409,
            "package_broken",
            f"The data package {package} has lost a part: {broken}",
            [in_body(each.path, each.sentence) for each in broken.faults],
        )
        raise problem from None


def note_export(request: Request, package: DataPackage, rows: int) -> None:
    """What people take out is on the audit log; uses of keys are counted."""
    if not isinstance(request.user, KeyActor):
        detail = f"{rows:,} rows of the data package"
        audit.record(Action.EXPORTED, package, detail=detail)


def not_made_yet(package: DataPackage) -> Problem:
    last = snapshots.ask(package)
    why = f" The last try failed: {last.problem}" if last.problem else ""
    problem = Problem(
        503,
        "snapshot_not_ready",
        f"The file of {package} is being made. Try again in"
        f" {snapshots.RETRY_AFTER} seconds.{why}",
    )
    problem.wait = snapshots.RETRY_AFTER
    return problem


def _check_format(package: DataPackage, form: str) -> None:
    if form in package.formats:
        return
    formats = " or ".join(f".{each}" for each in package.formats)
    if form not in PackageFormat:
        message = f"There is no format '{form[:20]}'. The URL ends with {formats}."
    elif package.refresh_every == RefreshEvery.LIVE:
        message = (
            "Parquet is made beforehand: let the package be stored. Live data comes as"
            f" {formats}."
        )
    else:
        message = f"The package is stored as {package.get_format_display()}: {formats}."
    raise Problem(404, "wrong_format", message)


def _asked(request: Request, package: DataPackage) -> paging.Asked:
    values = [request.query_params.get(name, "") for name in _PAGING]
    asked, faults = paging.asked_for(package, *values)
    if faults:
        raise invalid(in_parameter(name, text) for name, text in faults.items())
    return asked
