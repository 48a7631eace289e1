"""Where macros send, as far as their steps say it without a subject."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from urllib.parse import urlsplit

from ..models import Macro, Step

BY_TAGS = "a host that tags name"
BY_MAIL = "people by e-mail"


def hosts_of(macros: Iterable[Macro]) -> dict[int, str]:
    """In words, by the macros' keys; a macro that sends nothing is left out."""
    keys = [macro.pk for macro in macros]
    hosts: dict[int, dict[str, None]] = defaultdict(dict)
    steps = Step.objects.filter(macro__in=keys).order_by("position", "pk")
    sending = steps.values_list("macro", "webrequest__url", "sendemail")
    mailing: list[int] = []
    for key, url, mail in sending:
        if url is not None:
            hosts[key][_host(url.strip())] = None
        elif mail is not None:
            mailing.append(key)
    for key in mailing:
        hosts[key][BY_MAIL] = None
    return {key: ", ".join(named) for key, named in hosts.items()}


def _host(url: str) -> str:
    """A tag may stand in what comes after the host, and then the host is known."""
    try:
        host = urlsplit(url.partition("((")[0] if "((" in url else url).netloc
        is_whole = "((" not in url or url.partition("((")[0].count("/") > 2
    except ValueError:
        return BY_TAGS
    return host.rpartition("@")[2] if host and is_whole else BY_TAGS
