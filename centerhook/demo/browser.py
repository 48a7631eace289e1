"""A person at the admin: reads pages, fills in their forms, follows redirects."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin

import requests

from .errors import DemoError
from .stopping import check

# How long a page may take, in seconds.
TIMEOUT = 60


@dataclass
class Form:
    """A form with the names and values of its inputs."""

    id: str
    fields: list[tuple[str, str]] = field(default_factory=list)

    def filled(self, **changes: str) -> list[tuple[str, str]]:
        """The fields as they would be posted, with these changes."""
        kept = [(name, value) for name, value in self.fields if name not in changes]
        return [*kept, *changes.items()]


class _Forms(HTMLParser):
    """Finds the forms that post, with the values their inputs already have."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._inside: Form | None = None
        self._in_message = False
        self.messages: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._inside = Form(attributes.get("id", ""))
            self.forms.append(self._inside)
        elif tag == "input" and self._inside and _is_sent(attributes):
            self._inside.fields.append(
                (attributes["name"], attributes.get("value", ""))
            )
        self._in_message = self._in_message or _is_message(attributes.get("class", ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = None
        elif tag in ("ul", "p"):
            self._in_message = False

    def handle_data(self, data: str) -> None:
        if self._in_message and data.strip():
            self.messages.append(data.strip())


def _is_sent(attributes: dict[str, str]) -> bool:
    return bool(attributes.get("name")) and "disabled" not in attributes


def _is_message(classes: str) -> bool:
    return bool({"messagelist", "errornote", "errorlist"} & set(classes.split()))


class Page:
    """A page of the admin: its forms and its messages."""

    def __init__(self, response: requests.Response) -> None:
        self.url = response.url
        parser = _Forms()
        parser.feed(response.text)
        self._forms = parser.forms
        self.messages = " ".join(parser.messages)

    def form(self, name: str) -> Form:
        """The form of this id. Raises DemoError with what the page says instead."""
        for form in self._forms:
            if form.id == name:
                return form
        message = f" It says: {self.messages}" if self.messages else ""
        raise DemoError(f"The page {self.url} has no form '{name}'.{message}")


class Browser:
    """Keeps a session; its methods raise DemoError when a page is not a success."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._session = requests.Session()
        # No proxy between this machine and itself.
        self._session.trust_env = False

    def get(self, path: str) -> Page:
        return self._page("GET", path, None)

    def post(self, path: str, fields: list[tuple[str, str]]) -> Page:
        return self._page("POST", path, fields)

    def _page(
        self, method: str, path: str, fields: list[tuple[str, str]] | None
    ) -> Page:
        check()
        url = urljoin(self._url, path)
        try:
            response = self._session.request(method, url, data=fields, timeout=TIMEOUT)
        except requests.RequestException as error:
            raise DemoError(f"{method} {url} failed: {error}") from error
        if not response.ok:
            raise DemoError(f"{method} {url} gave the status {response.status_code}.")
        return Page(response)
