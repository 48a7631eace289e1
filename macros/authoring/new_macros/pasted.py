"""From a parsed curl command to a web request without a credential in it."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote_plus
from xml.parsers import expat

from logs.redaction import (
    WEBHOOK_URL,
    is_credential,
    is_credential_in_body,
    replace_members,
    replace_parameters,
)

from ...auth.kinds import AuthKind
from ...http import TransportError
from ...models.secrets import MIN_VALUE
from ...steps.kinds.web_request import (
    BODY_CONTEXTS,
    MAX_SECRETS,
    BodyKind,
    Method,
)
from ...tags.headers import RESERVED
from ..curl import CurlError, ParsedCurl
from ..presets import host_of

# Not a value but the place for one: $TOKEN, ${TOKEN}, <token>, YOUR_TOKEN.
_STAND_IN = re.compile(
    r"\$\{?(\w+)\}?|<([^<>]*)>|\[([^\[\]]*)\]|(your[\w -]*)", re.IGNORECASE
)
_SCHEME = re.compile(r"([A-Za-z][\w-]*) +(\S+)")
_NOT_IN_NAMES = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Credential:
    """`name` is suggested. An empty value was not in the command: ask for it."""

    name: str
    label: str
    value: str = field(repr=False)
    hosts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Draft:
    """`fields` are those of WebRequest, with the secrets by name."""

    fields: Mapping[str, object]
    credentials: tuple[Credential, ...]
    notes: tuple[str, ...]
    host: str


def draft(parsed: ParsedCurl, names: Mapping[str, str] | None = None) -> Draft:
    """`names` are those people chose, by the suggested ones. Raises CurlError."""
    return _Drafter(parsed, names or {}).draft()


class _Drafter:
    def __init__(self, parsed: ParsedCurl, names: Mapping[str, str]) -> None:
        self.parsed = parsed
        self.names = names
        self.credentials: dict[str, Credential] = {}
        self.notes = list(parsed.notes)
        try:
            self.host = host_of(parsed.url)
        except TransportError:
            self.host = ""
        labels = self.host.partition(":")[0].split(".")
        known = len(labels) > 1 and not labels[-1].isdigit()
        self.vendor = labels[-2] if known else ""

    def draft(self) -> Draft:
        if self.parsed.method not in Method.values:
            allowed = ", ".join(Method.values)
            raise CurlError(
                f"The method {self.parsed.method[:20]} is not sent from here; it can be"
                f" {allowed}."
            )
        fields = {"method": self.parsed.method, **self._authentication()}
        fields["url"] = self._url()
        kind, body = self._body()
        fields |= {"body_kind": kind, "body": body}
        fields["headers"] = "\n".join(self._headers(kind, bool(fields["auth_kind"])))
        return Draft(
            fields, tuple(self.credentials.values()), tuple(self.notes), self.host
        )

    def _secret(self, what: str, label: str, value: str) -> str:
        """The name under which a credential is kept, which is suggested if new."""
        stand_in = _STAND_IN.fullmatch(value.strip())
        name_in_it = next(filter(None, stand_in.groups()), "") if stand_in else ""
        if name_in_it and not name_in_it.lower().startswith("your"):
            what = name_in_it
        elif self.vendor and self.vendor not in what.lower():
            what = f"{self.vendor}_{what}"
        base = _NOT_IN_NAMES.sub("_", what.lower()).strip("_")[:60] or "secret"
        known = "" if stand_in or len(value.strip()) < MIN_VALUE else value
        name, number = base, 1
        while name in self.credentials:
            if self.credentials[name].value == known and known:
                break
            number += 1
            name = f"{base}_{number}"
        hosts = (self.host,) if self.host else ()
        self.credentials.setdefault(name, Credential(name, label, known, hosts))
        if len(self.credentials) > MAX_SECRETS:
            raise CurlError(
                f"The command holds more than {MAX_SECRETS} credentials, and a web"
                f" request has at most {MAX_SECRETS} secrets. Take some out, or write"
                " ((Secret: name)) in place of those that are the same."
            )
        return self.names.get(name, name)

    def _tag(self, what: str, label: str, value: str) -> str:
        if "((" in value or not value:
            return value
        return f"((Secret: {self._secret(what, label, value)}))"

    def _authentication(self) -> dict[str, str]:
        basic = self._basic()
        header = self._header("authorization")
        scheme, _, value = header.partition(" ")
        value = value.strip()
        if basic is not None:
            user, password = basic
            return self._with_secret(
                AuthKind.BASIC, user, "password", "Password", password
            )
        if scheme.lower() == "bearer" and value and "((" not in value:
            return self._with_secret(
                AuthKind.BEARER, "", "token", "Bearer token", value
            )
        return {"auth_kind": AuthKind.NONE}

    def _with_secret(
        self, kind: str, user: str, what: str, label: str, value: str
    ) -> dict[str, str]:
        name = self._secret(what, label, value)
        return {"auth_kind": kind, "auth_user": user, "auth_secret": name}

    def _basic(self) -> tuple[str, str] | None:
        """User and password, where both are there: Basic needs them."""
        header = self._header("authorization")
        scheme, _, value = header.partition(" ")
        if scheme.lower() == "basic":
            try:
                decoded = b64decode(value.strip(), validate=True).decode()
            except (NotBase64, ValueError):
                return None
            user, colon, password = decoded.partition(":")
            return (user, password) if colon and user and password else None
        if header or self.parsed.user is None:
            return None
        user, password = self.parsed.user, self.parsed.password
        if not user:
            self.notes.append("-u without a user name was left out.")
            return None
        if not password:
            # Many systems take an API key as the user name and look at nothing else.
            self.notes.append(
                "-u has no password, which is needed here. If the user name is an API"
                " key, take it as the secret and write any user name."
            )
        return user, password or "<password>"

    def _header(self, wanted: str) -> str:
        values = (text for name, text in self.parsed.headers if name.lower() == wanted)
        return next(values, "")

    def _headers(self, kind: str, authenticated: bool) -> Iterator[str]:
        usual = BODY_CONTEXTS[kind][1] if kind in BODY_CONTEXTS else ""
        seen = set()
        for name, value in self.parsed.headers:
            lowered = name.lower()
            if lowered in RESERVED or lowered == "accept-encoding":
                self.notes.append(f"The header {name} was left out: it is set anew.")
            elif lowered in seen:
                self.notes.append(f"The header {name} is there twice; one was kept.")
            elif not value.isprintable():
                self.notes.append(
                    f"The header {name} was left out: it holds a control character."
                )
            elif (lowered, authenticated) != ("authorization", True) and (
                lowered != "content-type" or value.lower() != usual
            ):
                yield f"{name}: {self._header_value(name, value)}"
            seen.add(lowered)

    def _header_value(self, name: str, value: str) -> str:
        if not is_credential(name):
            return value
        scheme = _SCHEME.fullmatch(value) if name.lower() == "authorization" else None
        if scheme:
            tag = self._tag("token", f"Header {name}", scheme[2])
            return f"{scheme[1]} {tag}"
        what = "key" if name.lower() == "authorization" else name.removeprefix("X-")
        return self._tag(what, f"Header {name}", value)

    def _url(self) -> str:
        url = self.parsed.url
        if WEBHOOK_URL.match(url) and "((" not in url:
            return self._tag("url", "Webhook URL", url)

        def one(name: str, value: str) -> str:
            if not value or not is_credential(unquote_plus(name)):
                return value
            label = f"Parameter {name} of the URL"
            return self._tag(name, label, unquote_plus(value))

        return replace_parameters(url, one)

    def _body(self) -> tuple[str, str]:
        body, kind = self.parsed.body, self.parsed.body_kind
        if body is None or kind == BodyKind.NONE:
            return BodyKind.NONE, ""
        if kind == BodyKind.JSON and _is_json(body):
            return kind, replace_members(body, self._member)
        if kind == BodyKind.XML and _is_xml(body):
            return kind, body
        if kind == BodyKind.FORM and (pairs := _pairs(body)) is not None:
            return kind, "\n".join(self._line(*pair) for pair in pairs)
        if kind != BodyKind.TEXT:
            self.notes.append(
                f"The body is not valid {kind.upper()}, so it is sent"
                " as plain text: tags in it are not escaped."
            )
        return BodyKind.TEXT, body

    def _member(self, name: str, written: str) -> str:
        try:
            value = json.loads(f'"{written}"')
        except ValueError:
            return written
        tag = self._tag(name, f"Member {name} of the body", value)
        return tag if tag != value else written

    def _line(self, name: str, value: str) -> str:
        if is_credential_in_body(name):
            value = self._tag(name, f"Field {name} of the form", value)
        return f"{name}={value}"


def _is_json(body: str) -> bool:
    """Whether it may be JSON: one with tags is checked when it is saved."""
    if "((" in body:
        return True
    try:
        json.loads(body)
    except (ValueError, RecursionError):
        return False
    return True


def _is_xml(body: str) -> bool:
    if "((" in body:
        return True
    try:
        expat.ParserCreate().Parse(body, True)
    except expat.ExpatError:
        return False
    return True


def _pairs(body: str) -> list[tuple[str, str]] | None:
    """The fields of a form, if they can be written one per line."""
    try:
        pairs = parse_qsl(body, keep_blank_values=True, strict_parsing=True)
    except ValueError:
        return None
    fits = all(
        name and "=" not in name and _is_line(name) and _is_line(value)
        for name, value in pairs
    )
    return pairs if fits else None


def _is_line(text: str) -> bool:
    return "\n" not in text and text == text.strip()
