"""How a person likes a list: which columns in which order, and how close its rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.admin.utils import label_for_field
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.text import capfirst

from ..console.ordered import in_order
from ..console.preferences import DENSITY, prefer, preference
from ..console.scoping import ScopedAdmin
from .columns import Column

# As many as fit beside each other; each that is chosen beyond them is left out.
MAX_SHOWN = 12
# The position of each column in the form: `position-title`.
_POSITION = "position-{}"
_MAX_CHOSEN = 200


@dataclass(frozen=True, slots=True)
class Choice:
    name: str
    title: str
    is_shown: bool
    is_fixed: bool


class ChosenColumns(ScopedAdmin):
    """A list whose columns each person chooses, for each part of it on its own."""

    # What every row is known by, whatever else is chosen.
    fixed_columns: tuple[str, ...] = ()

    def all_columns(self, request: HttpRequest) -> Sequence[Column]:
        raise NotImplementedError

    def standard_columns(self, request: HttpRequest) -> Sequence[Column]:
        """What a list shows to whoever has not chosen."""
        return self.all_columns(request)

    def part_of_list(self, query: QueryDict) -> str:
        """What is chosen for: a feedback type, say. Empty for the whole list."""
        return ""

    def get_list_display(self, request: HttpRequest) -> list[Column]:
        chosen = self._chosen(request)
        if chosen is None:
            return self._fitting(self.standard_columns(request))
        names = [each for each in self.fixed_columns if each not in chosen] + chosen
        positions = {name: position for position, name in enumerate(names)}
        columns = [
            each for each in self.all_columns(request) if name_of(each) in positions
        ]
        return self._fitting(sorted(columns, key=lambda each: positions[name_of(each)]))

    def _fitting(self, columns: Sequence[Column]) -> list[Column]:
        """As many as a list shows; what every row is known by is among them."""
        others = [each for each in columns if name_of(each) not in self.fixed_columns]
        left_out = others[MAX_SHOWN - len(self.fixed_columns) :]
        return [each for each in columns if each not in left_out]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, object] | None = None
    ) -> HttpResponse:
        context = {"look": self._look(request), **(extra_context or {})}
        return super().changelist_view(request, context)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.choose_look)
        return [path("look/", view, name=self._look_name), *super().get_urls()]

    def choose_look(self, request: HttpRequest) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        opts = self.opts
        page = reverse(f"admin:{opts.app_label}_{opts.model_name}_changelist")
        query = QueryDict(request.POST.get("query", ""), mutable=True)
        user: Any = request.user
        if request.method == "POST":
            key = self._key(query)
            prefer(user, key, None if "standard" in request.POST else _sent(request))
            density = request.POST.get("density")
            prefer(user, DENSITY, density if density == "compact" else None)
            query.pop("o", None)  # It counts the columns.
        return redirect(f"{page}?{query.urlencode()}")

    @property
    def _look_name(self) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_look"

    def _key(self, query: QueryDict) -> str:
        return f"columns:{self.opts.model_name}:{self.part_of_list(query)}"[:100]

    def _chosen(self, request: HttpRequest) -> list[str] | None:
        """Looked up once a request; None where nothing was chosen."""
        if not hasattr(request, "chosen_columns"):
            kept = preference(request.user, self._key(request.GET))
            is_list = isinstance(kept, list)
            names = [str(each) for each in kept] if is_list else None
            request.chosen_columns = names  # type: ignore[attr-defined]
        return request.chosen_columns  # type: ignore[attr-defined,no-any-return]

    def _look(self, request: HttpRequest) -> dict[str, object]:
        """What is shown in its order, then what could be."""
        shown = self.get_list_display(request)
        names = [name_of(each) for each in shown]
        others = [
            each for each in self.all_columns(request) if name_of(each) not in names
        ]
        return {
            "url": reverse(f"admin:{self._look_name}"),
            "query": request.GET.urlencode(),
            "most": MAX_SHOWN,
            "is_chosen": self._chosen(request) is not None,
            "columns": [
                Choice(
                    name_of(each),
                    self._title(each),
                    name_of(each) in names,
                    name_of(each) in self.fixed_columns,
                )
                for each in [*shown, *others]
            ],
        }

    def _title(self, column: Column) -> str:
        return capfirst(str(label_for_field(column, self.model, self)))


def name_of(column: Column) -> str:
    return column if isinstance(column, str) else column.__name__


def _sent(request: HttpRequest) -> list[str]:
    """The names that are chosen, in the order of their positions."""

    def position_of(name: str) -> int | None:
        given = request.POST.get(_POSITION.format(name), "")
        return int(given) if given.isdecimal() and len(given) < 6 else None

    names = request.POST.getlist("column")[:_MAX_CHOSEN]
    return [each[:100] for each in in_order(names, position_of)]
