"""What the options of one command amount to."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from . import options
from .errors import CurlError
from .values import (
    FORM,
    encode_around_tags,
    form_value,
    is_json,
    kind_of,
    several_in,
    without_escapes,
)

_SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*://")
_JSON = "application/json"


@dataclass(frozen=True, slots=True)
class ParsedCurl:
    """`body` is what goes over the wire, None for none.

    `body_kind` is json, form, xml, text or none. `user` and `password` are those of
    -u or of the URL; a user of None means that none was given. `notes` are sentences on
    what could not be taken over.
    """

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    body: str | None = None
    body_kind: str = "none"
    user: str | None = None
    password: str = field(default="", repr=False)
    notes: tuple[str, ...] = ()


class Command:
    """What the options amount to so far."""

    def __init__(self) -> None:
        self.notes: dict[str, None] = {}
        self.urls: list[str] = []
        self.queries: list[str] = []
        self.headers: list[tuple[str, str]] = []
        self.dropped: set[str] = set()
        self.data: list[str] = []
        self.form: list[tuple[str, str]] = []
        self.has_body = self.is_json = self.gets = self.heads = False
        self.has_patterns = True
        self.method = ""
        self.user: str | None = None
        self.password = ""

    def note(self, sentence: str) -> None:
        self.notes[sentence] = None

    def take(self, name: str, value: str) -> None:
        if name not in options.TAKEN:
            if why := options.why_left_out(name):
                self.note(why)
            return
        getattr(self, f"_{name.replace('-', '_')}")(value)

    def _request(self, value: str) -> None:
        self.method = value.upper()

    def _url(self, value: str) -> None:
        self.urls.append(value)

    def _globoff(self, value: str) -> None:
        self.has_patterns = False

    def _url_query(self, value: str) -> None:
        self.queries.append(
            value[1:] if value.startswith("+") else self._encoded(value)
        )

    def _next(self, value: str) -> None:
        raise CurlError("--next begins a second request. Paste one at a time.")

    def _header(self, value: str) -> None:
        name, colon, content = value.partition(":")
        if value.startswith("@"):
            self._no_file("-H", value)
        elif colon and not content.strip():
            self.dropped.add(name.strip().lower())
        elif colon:
            self.headers.append((name.strip(), content.strip()))
        elif value.rstrip().endswith(";"):
            self.headers.append((value.rstrip()[:-1].strip(), ""))
        else:
            self.note("A header without a colon was left out.")

    def _cookie(self, value: str) -> None:
        if "=" in value:
            self.headers.append(("Cookie", value))
        else:
            self._no_file("-b", value)

    def _user_agent(self, value: str) -> None:
        if value:
            self.headers.append(("User-Agent", value))

    def _referer(self, value: str) -> None:
        self.headers.append(("Referer", value.removesuffix(";auto")))

    def _range(self, value: str) -> None:
        self.headers.append(("Range", f"bytes={value}"))

    def _oauth2_bearer(self, value: str) -> None:
        self.headers.append(("Authorization", f"Bearer {value}"))

    def _user(self, value: str) -> None:
        self.user, _, self.password = value.partition(":")

    def _get(self, value: str) -> None:
        self.gets = True

    def _head(self, value: str) -> None:
        self.heads = True

    def _data(self, value: str) -> None:
        self.has_body = True
        if value.startswith("@"):
            self._no_file("-d", value)
        else:
            self.data.append(value)

    _data_ascii = _data_binary = _data

    def _data_raw(self, value: str) -> None:
        self.has_body = True
        self.data.append(value)

    def _data_urlencode(self, value: str) -> None:
        self.has_body = True
        encoded = self._encoded(value)
        self.data += [encoded] if encoded else []

    def _json(self, value: str) -> None:
        self.has_body = self.is_json = True
        if value.startswith("@"):
            self._no_file("--json", value)
        elif self.data:
            # curl writes these next to each other, as pieces of one document.
            self.data[-1] += value
        else:
            self.data.append(value)

    def _form(self, value: str) -> None:
        name, equals, content = value.partition("=")
        if not equals:
            self.note(f"The form field '{name[:40]}' has no '='; it was left out.")
        elif content.startswith(("@", "<")):
            self._no_file("-F", value)
        else:
            text, rest = form_value(content)
            self.form.append((name, text))
            if rest:
                self.note(
                    f"-F {name[:40]}: '{rest[:60]}' was left out, since parts of a form"
                    " have no type or file name here."
                )

    def _form_string(self, value: str) -> None:
        name, _, content = value.partition("=")
        self.form.append((name, content))

    def _no_file(self, option: str, value: str) -> None:
        self.note(
            f"{option} {value[:60]} names a file, and files of your computer are not"
            " read; it was left out."
        )

    def _encoded(self, value: str) -> str:
        """What --data-urlencode takes: content, =content, name=content, or a file."""
        name, equals, content = value.partition("=")
        if equals:
            return (f"{name}=" if name else "") + encode_around_tags(content)
        if "@" in value:
            self._no_file("--data-urlencode", value)
            return ""
        return encode_around_tags(value)

    def result(self) -> ParsedCurl:
        url = self._whole_url()
        body, kind = self._whole_body()
        return ParsedCurl(
            self._whole_method(),
            url,
            tuple(self.headers),
            body,
            kind,
            self.user,
            self.password,
            tuple(self.notes),
        )

    def _whole_method(self) -> str:
        if self.method:
            return self.method
        if self.heads:
            return "HEAD"
        return "POST" if (self.has_body or self.form) and not self.gets else "GET"

    def _whole_url(self) -> str:
        if not self.urls:
            raise CurlError("The command has no URL.")
        if len(self.urls) > 1:
            raise CurlError(
                f"The command has {len(self.urls)} URLs. If some of them are words of a"
                " text, put that text in quotes."
            )
        url = self.urls[0].strip()
        if not url:
            raise CurlError("The command's URL is empty.")
        if self.has_patterns:
            url = self._without_patterns(url)
        if not _SCHEME.match(url) and not url.startswith("(("):
            url = f"http://{url}"
        queries = [*self.queries, *(self.data if self.gets else [])]
        if queries:
            mark = "&" if "?" in url else "?"
            url += ("" if url.endswith(("?", "&")) else mark) + "&".join(queries)
        return self._without_user(url)

    def _without_patterns(self, url: str) -> str:
        """Without the backslashes that keep brackets from being curl's patterns."""
        if pattern := several_in(url):
            self.note(
                f"curl would make a request for each of {pattern[:40]}. It was kept as"
                " text, for one request."
            )
        return without_escapes(url)

    def _without_user(self, url: str) -> str:
        try:
            parts = urlsplit(url)
        except ValueError:
            raise CurlError("The URL of the command is not valid.") from None
        pair, at, host = parts.netloc.rpartition("@")
        if not at:
            return url
        user, _, password = pair.partition(":")
        if self.user is None:
            self.user, self.password = unquote(user), unquote(password)
        return urlunsplit(parts._replace(netloc=host))

    def _whole_body(self) -> tuple[str | None, str]:
        kind = self._content_type()
        if self.form:
            self._refuse_multipart()
            pairs = (
                f"{quote(name, safe='')}={quote(text, safe='')}"
                for name, text in self.form
            )
            return "&".join(pairs), "form"
        if self.gets or not self.data:
            return None, "none"
        body = ("" if self.is_json else "&").join(self.data)
        if kind is None and "content-type" not in self.dropped:
            guessed = self.is_json or is_json(body)
            kind = _JSON if guessed else FORM
            self.headers.append(("Content-Type", kind))
            if guessed and not self.is_json:
                self.note(
                    "The command names no content type and its body is JSON, so it is"
                    " sent as JSON. curl would have sent it as a form."
                )
        if self.is_json and not any(
            name.lower() == "accept" for name, _ in self.headers
        ):
            self.headers.append(("Accept", _JSON))
        return body, kind_of(kind or "")

    def _content_type(self) -> str | None:
        types = (text for name, text in self.headers if name.lower() == "content-type")
        return next(types, None)

    def _refuse_multipart(self) -> None:
        if self.data:
            raise CurlError("-F and -d can't stand in one command.")
        self.note(
            "-F makes a multipart form, which is not sent from here; it became a form"
            " of name=value pairs. Check that the other system takes it."
        )
        kept = [each for each in self.headers if each[0].lower() != "content-type"]
        self.headers = [*kept, ("Content-Type", FORM)]
