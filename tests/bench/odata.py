"""A page of a package as OData, out of a million tickets."""

from __future__ import annotations

import time
from statistics import median
from typing import TYPE_CHECKING
from urllib.parse import quote

from .ground import say

if TYPE_CHECKING:
    from django.test import Client

    from feedback.models import FeedbackType

KEY = "odata_page_ms"
_COLUMNS = (
    *("id", "reference", "title", "status", "open", "created", "modified"),
    *("submitter_email", "field_severity", "field_impact", "external_jira_key"),
)
# A page of 1,000 rows each: the first, with a filter, and from the middle of an order.
_QUERIES = (
    "",
    "$filter=open and created ge 2026-01-01 and contains(title,'black')",
    "$orderby=created desc&$select=id,title,created",
)
_TIMES = 3


def page_ms(of: FeedbackType) -> float:
    """The slowest of the queries, each the median of a few, with its next page."""
    from django.test import Client

    from feedback.models import ApiKey
    from tests import factories

    package = factories.package(of, *_COLUMNS, key="bench-odata")
    _, token = factories.api_key(of.project.community, scope_data=True)
    client = Client(headers={"host": "localhost", "authorization": f"Bearer {token}"})
    root = f"/data/{package.community_id}/{package.key}/odata/bench_odata"
    slowest = max(_slowest(client, f"{root}?{query}") for query in _QUERIES)
    package.delete()
    ApiKey.objects.filter(prefix=token.rpartition("_")[0]).delete()
    return slowest


def _slowest(client: Client, url: str) -> float:
    first, body = _median(client, quote(url, safe="/?$=&"))
    if "@odata.nextLink" not in body:  # In a rehearsal with few rows.
        return first
    link = body["@odata.nextLink"].partition("/data/")[2]
    second, _ = _median(client, f"/data/{link}")
    say(f"{first:8.0f} ms, next page {second:.0f} ms  {url}")
    return max(first, second)


def _median(client: Client, url: str) -> tuple[float, dict[str, str]]:
    seconds = []
    for _ in range(_TIMES):
        begun = time.monotonic()
        response = client.get(url)
        seconds.append(time.monotonic() - begun)
        if response.status_code != 200:
            raise RuntimeError(f"{response.status_code}: {response.content[:300]!r}")
    return median(seconds) * 1e3, response.json()
