"""One person's way through the pages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from django.test import Client
from django.urls import URLPattern, URLResolver

from feedback.models import FeedbackType
from tests.walk import pages
from tests.walk.pages import EVERYBODY
from tests.walk.world import Person, World, client_of, markers


class Walk:
    """Counts and checks what a person sees."""

    def __init__(self, person: Person, world: World) -> None:
        self.person = person
        self.world = world
        self.client: Client = client_of(person, world)
        self.visits: Counter[str] = Counter()

    def visit(self, method: str, url: str, data: Any = None) -> int:
        response = getattr(self.client, method)(url, data or {})
        self.visits[method] += 1
        text = b"".join(response).decode(errors="replace") if response.streaming else ""
        text = (text or response.content.decode(errors="replace")).lower()
        for marker in markers(self.person):
            # What one typed oneself, in the search, comes back.
            assert marker.lower() not in text.replace(url.lower(), ""), (url, marker)
        assert response.status_code < 500, url
        return int(response.status_code)

    def may(self, least: str) -> bool:
        return least == EVERYBODY or self.person.is_at_least(least)

    def reaches(self, of: FeedbackType, label: str) -> bool:
        """Whether a row of the type's project is in the scope of the person's role."""
        if of == self.world.theirs:
            return False
        if not self.person.in_project:
            return True
        return of == self.world.mine and label not in pages.OF_THE_COMMUNITY


def patterns(resolver: URLResolver) -> Iterator[URLPattern]:
    for each in resolver.url_patterns:
        if isinstance(each, URLResolver):
            yield from patterns(each)
        else:
            yield each
