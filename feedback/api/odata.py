"""Data packages as OData 4.0, for Power BI, Excel and Tableau. Only reading."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response

from ..models.numbers import ExactEncoder
from ..odata.errors import OptionRefused
from ..odata.model import VERSION
from ..odata.options import (
    COUNT,
    FORMAT,
    KNOWN,
    ORDER_BY,
    SELECT,
    SKIP_TOKEN,
    Options,
    only,
    read_options,
    refuse_unknown,
)
from ..odata.paging import begun_at
from ..odata.rows import MAX_PAGE, PAGE, EntitySet
from ..odata.tokens import FILTER
from ..packages.addresses import odata_url_of
from ..rest.key_places import OUTSIDE_URL
from ..rest.problems import Problem, handle, in_parameter
from .package_reading import PackageView, note_export, open_table

_JSON = "application/json;odata.metadata=minimal"
_EXACT = ";IEEE754Compatible=true"
_PAGE_SIZE = re.compile(r"(?:odata\.)?maxpagesize\s*=\s*([0-9]{1,9})", re.IGNORECASE)
_BY_KEY = re.compile(r"(?P<set>\w+)\((?:id=)?(?P<id>[0-9]{1,18})\)")


class ODataView(PackageView):
    """Base of all addresses of one package; what is wrong is message as OData does."""

    parameters = KNOWN
    how_to_send_keys = OUTSIDE_URL
    http_method_names = ["get", "head"]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        refuse_unknown(request.query_params)
        super().initial(request, *args, **kwargs)

    def open(self, request: Request, community: int, key: str) -> EntitySet:
        token = request.query_params.get(SKIP_TOKEN)
        begun = begun_at(token) if token else None
        table = open_table(self.package(request, community, key), begun)
        return EntitySet(table, exact=_is_exact(request))

    def get_exception_handler(self) -> Callable[..., Response | None]:
        return _as_odata

    def finalize_response(
        self, request: Request, response: Any, *args: Any, **kwargs: Any
    ) -> Any:
        response["OData-Version"] = VERSION
        return super().finalize_response(request, response, *args, **kwargs)


class ServiceView(ODataView):
    """The service document."""

    def get(self, request: Request, community: int, key: str) -> HttpResponseBase:
        only(request.query_params, FORMAT)
        entities = self.open(request, community, key)
        name = entities.model.entity_set
        entity_set = {"name": name, "kind": "EntitySet", "url": name}
        root = odata_url_of(entities.table.package)
        body = {"@odata.context": f"{root}$metadata", "value": [entity_set]}
        return _json(request, body)


class MetadataView(ODataView):
    def get(self, request: Request, community: int, key: str) -> HttpResponseBase:
        only(request.query_params, FORMAT)
        metadata = self.open(request, community, key).model.metadata()
        return HttpResponse(metadata, content_type="application/xml;charset=utf-8")


class EntitiesView(ODataView):
    """The entity set, how many there are in it, or one of them by its key."""

    def get(
        self, request: Request, community: int, key: str, path: str
    ) -> HttpResponseBase:
        entities = self.open(request, community, key)
        name = entities.model.entity_set
        by_key = _BY_KEY.fullmatch(path)
        context = f"{odata_url_of(entities.table.package)}$metadata#{name}"
        if path == name:
            return self._page(request, entities, context)
        if path == f"{name}/$count":
            only(request.query_params, FILTER)
            count = entities.count(_options(request, entities))
            return HttpResponse(str(count), content_type="text/plain;charset=utf-8")
        if by_key and by_key["set"] == name:
            return self._one(request, entities, int(by_key["id"]), context)
        message = f"There is nothing at '{path[:100]}'. The one entity set is '{name}'."
        raise Http404(message)

    def _page(
        self, request: Request, entities: EntitySet, context: str
    ) -> HttpResponseBase:
        options = _options(request, entities)
        wanted = _PAGE_SIZE.search(request.headers.get("Prefer", ""))
        size = min(max(int(wanted[1]), 1), MAX_PAGE) if wanted else PAGE
        given = request.query_params
        query = [given.get(FILTER), given.get(ORDER_BY)]
        page = entities.page(options, query, size)
        note_export(request, entities.table.package, len(page.entities))
        body: dict[str, Any] = {"@odata.context": f"{context}{_selected(options)}"}
        if page.count is not None:
            body["@odata.count"] = page.count
        body["value"] = page.entities
        if page.token:
            body["@odata.nextLink"] = _next(request, page.token)
        response = _json(request, body)
        if wanted:
            response["Preference-Applied"] = f"odata.maxpagesize={size}"
        return response

    def _one(
        self, request: Request, entities: EntitySet, key: int, context: str
    ) -> HttpResponseBase:
        only(request.query_params, SELECT, FORMAT)
        options = _options(request, entities)
        entity = entities.entity(key, options)
        if entity is None:
            raise Http404(f"There is no row {key}.")
        note_export(request, entities.table.package, 1)
        whole = f"{context}{_selected(options)}/$entity"
        return _json(request, {"@odata.context": whole, **entity})


def _options(request: Request, entities: EntitySet) -> Options:
    return read_options(request.query_params, entities.fields)


def _selected(options: Options) -> str:
    return f"({','.join(options.select)})" if options.select else ""


def _next(request: Request, token: str) -> str:
    """All of the query but what the token says, and the count, which is known."""
    query = request.query_params.copy()
    for name in ("$top", "$skip", COUNT):
        query.pop(name, None)
    query[SKIP_TOKEN] = token
    return f"{settings.BASE_URL}{request.path}?{query.urlencode(safe='$')}"


def _is_exact(request: Request) -> bool:
    asked = f"{request.headers.get('Accept', '')} {request.GET.get(FORMAT, '')}"
    return "ieee754compatible=true" in asked.lower().replace(" ", "")


def _json(request: Request, body: dict[str, Any]) -> HttpResponse:
    kind = f"{_JSON}{_EXACT}" if _is_exact(request) else _JSON
    text = json.dumps(body, cls=ExactEncoder, ensure_ascii=False)
    return HttpResponse(text, content_type=f"{kind};charset=utf-8")


def _as_odata(error: Exception, context: dict[str, Any]) -> Response | None:
    """The error object of OData's JSON (part "JSON Format", section 19)."""
    if isinstance(error, OptionRefused):
        sentence = f"{error.option}: {error.sentence}"
        fault = in_parameter(error.option, error.sentence)
        error = Problem(error.status, error.code, sentence, [fault])
    response = handle(error, context)
    if response is None:
        return None
    problem = response.data
    message: dict[str, Any] = {"code": problem["code"], "message": problem["detail"]}
    if faults := problem.get("errors"):
        message["target"] = next(iter(faults[0].values()))
    response.data = {"error": message}
    response.content_type = "application/json"
    return response
