"""Lists of big tables, which are not counted to their end."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from django.core.paginator import Paginator

# Beyond these people narrow the filter, so that no page counts all there is.
MAX_LISTED = 10_000


class BoundedPaginator(Paginator):
    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        return int(rows.order_by()[:MAX_LISTED].count())
