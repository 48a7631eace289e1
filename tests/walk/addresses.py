"""Where the pages of `tests.walk.pages` are, for what looks at each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from django.test import Client
from django.urls import reverse

from feedback.models import FeedbackType
from tests.walk import pages
from tests.walk.pages import MODELS, OTHERS, Page
from tests.walk.world import World


def name_of(label: str, page: str) -> str:
    return f"{label.replace('.', '_')}_{page}"


def standard_pages() -> Iterator[tuple[str, Page]]:
    for label, (view, add, change, delete) in MODELS.items():
        change = pages.SUPERUSER if label in pages.READ_ONLY else change
        for page, get, post in (
            ("change", view, change),
            ("delete", delete, delete),
            ("history", view, view),
        ):
            yield name_of(label, page), Page(label, get, post, "object_id")
        yield name_of(label, "changelist"), Page(get=view)
        yield name_of(label, "add"), Page(get=add)


def every_page() -> list[tuple[str, Page]]:
    return [*standard_pages(), *OTHERS.items()]


def candidates(row_of: Callable[[str], Any], of: FeedbackType) -> dict[str, str]:
    """The address of every page, keyed by its name; `row_of` gives a row of a model."""
    addresses = {
        "feedback_feedback_typed": _typed("feedback_feedback_changelist", of),
        "feedback_feedback_typed_add": _typed("feedback_feedback_add", of),
        "second_factor": reverse("admin:second_factor"),
        "search_matches": f"{reverse('admin:search')}?q=a",
    }
    for name, page in every_page():
        kwargs: dict[str, Any] = dict(page.given)
        if page.of:
            row = row_of(page.of)
            if row is None:
                continue
            kwargs = {page.argument: row.pk}
        addresses[name] = reverse(f"admin:{name}", kwargs=kwargs)
    return addresses


def whole_pages(client: Client, world: World, of: FeedbackType) -> dict[str, str]:
    """The candidates that open as a page with a menu."""
    addresses = candidates(lambda label: world.row(of, label), of)
    return {name: url for name, url in addresses.items() if _is_whole(client.get(url))}


def _typed(name: str, of: FeedbackType) -> str:
    return f"{reverse(f'admin:{name}')}?type={of.pk}"


def _is_whole(response: Any) -> bool:
    if response.status_code != 200 or response.streaming:
        return False
    return b'<nav id="menu"' in response.content
