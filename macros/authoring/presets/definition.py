"""A preset as its file describes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from feedback.names import fold


@dataclass(frozen=True, slots=True)
class Setting:
    """What people are asked for; `kind` is text, url or choice.

    A `url` is the base URL of a site, without a slash at its end.
    """

    key: str
    label: str
    help: str
    example: str
    kind: str = "text"
    default: str = ""
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SecretNeed:
    """A credential; `name` is only suggested.

    It is bound to `hosts`: host names, or settings of the kind url as `[[key]]`. A
    secret of the kind url is a whole URL, and bound to its own host.
    """

    key: str
    name: str
    label: str
    help: str
    kind: str = "text"
    hosts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class VendorRate:
    """What a vendor takes at its hosts, as its own page publishes it.

    A host that begins with `*.` stands for all below it.
    """

    vendor: str
    hosts: tuple[str, ...]
    requests: int
    seconds: int
    documentation: str

    @property
    def per_second(self) -> float:
        return self.requests / self.seconds

    def holds_for(self, host: str) -> bool:
        return any(
            host.endswith(each[1:]) if each.startswith("*.") else host == each
            for each in self.hosts
        )


@dataclass(frozen=True, slots=True)
class Preset:
    """`requests` hold fields of WebRequest, and return values with each."""

    id: str
    title: str
    vendor: str
    group: str
    subject_kind: str
    summary: str
    documentation: str
    settings: tuple[Setting, ...]
    secrets: tuple[SecretNeed, ...]
    requests: tuple[Mapping[str, Any], ...]
    response: Mapping[str, Any]
    rate: VendorRate | None = None

    @classmethod
    def from_data(cls, name: str, data: Mapping[str, Any]) -> Preset:
        """Raises TypeError or KeyError where a member is unknown or missing."""
        settings = [
            Setting(**{**item, "choices": tuple(item.get("choices", ()))})
            for item in data.get("settings", ())
        ]
        secrets = [
            SecretNeed(**{**item, "hosts": tuple(item.get("hosts", ()))})
            for item in data.get("secrets", ())
        ]
        rate = data.get("rate")
        rate = rate and {**rate, "hosts": tuple(rate["hosts"])}
        members = {
            **data,
            "id": name,
            "rate": rate and VendorRate(vendor=data["vendor"], **rate),
            "settings": tuple(settings),
            "secrets": tuple(secrets),
            "requests": tuple(data["requests"]),
        }
        return cls(**members)

    def matches(self, query: str) -> bool:
        """Whether each word of the query is somewhere in what people read of it."""
        text = fold(f"{self.title} {self.vendor} {self.group} {self.summary}")
        return all(word in text for word in fold(query).split())

    @property
    def returned(self) -> list[str]:
        """The names under which parts of the response are kept."""
        return [
            value["name"]
            for request in self.requests
            for value in request.get("return_values", ())
        ]
