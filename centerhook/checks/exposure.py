"""Settings that are safe on one's own machine, but not where others can reach it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from ipaddress import ip_address
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.http.request import validate_host

from macros import redis_server

Check = Callable[..., list[CheckMessage]]


def is_own_machine(host: str) -> bool:
    """Whether a host name can only mean the machine that asks."""
    name = host.strip("[].").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False


def public_hosts() -> list[str]:
    """The names under which others reach the admin."""
    hosts = [*settings.ALLOWED_HOSTS, urlsplit(settings.BASE_URL).hostname or ""]
    return [host for host in hosts if host and not is_own_machine(host)]


def _register(*tags: str, deploy: bool = False) -> Callable[[Check], Check]:
    return register(Tags.security, *tags, deploy=deploy)


@_register()
def check_debug(**kwargs: object) -> list[CheckMessage]:
    if not settings.DEBUG or not public_hosts():
        return []
    return [
        Error(
            f"DEBUG is on while others reach this server as {public_hosts()[0]}: its"
            " error pages show settings and data to anybody.",
            hint="Unset DEBUG, or keep ALLOWED_HOSTS and BASE_URL to localhost.",
            id="centerhook.E301",
        )
    ]


_LOST = {
    "SECRET_KEY": (
        "centerhook.W302",
        "other machines sign people out, and so does a lost var/",
        "import secrets; print(secrets.token_urlsafe(50))",
    ),
    "SECRETS_KEYS": (
        "centerhook.W303",
        "other machines can't read the stored secrets, and with a lost var/ nobody can",
        "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())",
    ),
}


@_register()
def check_local_keys(**kwargs: object) -> list[CheckMessage]:
    if not public_hosts():
        return []
    return [
        Warning(
            f"{name} is not set, so this machine uses one of its own: {consequence}.",
            hint=f'Set {name}, the same everywhere. Make one with: python -c "{code}"',
            id=id,
        )
        for name, (id, consequence, code) in _LOST.items()
        if name in settings.LOCAL_KEYS
    ]


@_register()
def check_allowed_hosts(**kwargs: object) -> list[CheckMessage]:
    if "*" not in settings.ALLOWED_HOSTS:
        return []
    return [
        Warning(
            "ALLOWED_HOSTS holds *, so anybody can choose the host name of the links"
            " that this server sends to people.",
            hint="Name the hosts, such as ALLOWED_HOSTS=feedback.example.com",
            id="centerhook.W304",
        )
    ]


@_register(Tags.database)
def check_shared_database(**kwargs: object) -> list[CheckMessage]:
    database = settings.DATABASES["default"]["ENGINE"]
    try:
        watched = redis_server.watched_in(settings.REDIS_URL)
        redis = urlsplit(settings.REDIS_URL)
        hosts = [host for host, _ in watched.hosts] if watched else [redis.hostname]
    except (ValueError, redis_server.UnreadableUrl):
        return []  # Another check says so.
    far = [host for host in hosts if host and not is_own_machine(host)]
    if not database.endswith("sqlite3") or redis.scheme == "unix" or not far:
        return []
    return [
        Warning(
            f"The queue is on {far[0]}, but the database is an SQLite file:"
            " workers on other machines would not find the deliveries they are woken"
            " for.",
            hint="Set DATABASE_URL to a PostgreSQL server. If everything runs on this"
            " machine, a Redis on localhost will do.",
            id="centerhook.W305",
        )
    ]


@_register()
def check_base_url(**kwargs: object) -> list[CheckMessage]:
    return list(_about_base_url())


def _about_base_url() -> Iterator[CheckMessage]:
    url = urlsplit(settings.BASE_URL)
    if url.scheme not in ("http", "https") or not url.hostname:
        yield Error(
            f"BASE_URL is {settings.BASE_URL!r}, which no browser can open.",
            hint="Give the whole URL: BASE_URL=https://feedback.example.com",
            id="centerhook.E306",
        )
        return
    if url.scheme == "http" and public_hosts():
        yield Warning(
            f"BASE_URL is {settings.BASE_URL}, without TLS, while others reach this"
            f" server as {public_hosts()[0]}: passwords travel unencrypted, and secure"
            " cookies and HSTS stay off.",
            hint="Put a proxy with TLS in front and set"
            " BASE_URL=https://feedback.example.com",
            id="centerhook.W307",
        )
    host = f"[{url.hostname}]" if ":" in url.hostname else url.hostname
    if not validate_host(host, settings.ALLOWED_HOSTS):
        yield Warning(
            f"BASE_URL leads to {host}, which is not among ALLOWED_HOSTS:"
            " every link that CenterHook gives leads to an error page.",
            hint=f"Add {host} to ALLOWED_HOSTS, or correct BASE_URL.",
            id="centerhook.W308",
        )


@_register()
def check_email(**kwargs: object) -> list[CheckMessage]:
    if not public_hosts() or not settings.EMAIL_BACKEND.endswith(
        ".console.EmailBackend"
    ):
        return []
    return [
        Warning(
            "EMAIL_URL is not set: notices go to the log, where nobody reads them.",
            hint="Set EMAIL_URL=smtp+tls://user:password@mail.example.com:587",
            id="centerhook.W309",
        )
    ]


@_register(deploy=True)
def check_proxy(**kwargs: object) -> list[CheckMessage]:
    """Part of `check --deploy` only: a server that ends TLS itself needs no proxy."""
    if not settings.SECURE_SSL_REDIRECT or settings.PROXY_COUNT:
        return []
    return [
        Warning(
            "Requests without TLS are sent to https, but PROXY_COUNT is 0: if a proxy"
            " ends TLS, its requests look as if they had none, and every page redirects"
            " to itself.",
            hint="Set PROXY_COUNT to the number of your proxies; the last of them must"
            " set X-Forwarded-Proto itself.",
            id="centerhook.W310",
        )
    ]
