"""Settings whose values can't work."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register

from centerhook import sentry
from feedback import mode
from feedback.late import LateModule
from macros import crypto, redis_server
from macros.deliveries import MIN_LEASE

# Workers make the checks of settings, and not this one.
retention = LateModule("logs.retention")
OIDC_ENDPOINTS = (
    "OIDC_OP_AUTHORIZATION_ENDPOINT",
    "OIDC_OP_TOKEN_ENDPOINT",
    "OIDC_OP_USER_ENDPOINT",
    "OIDC_OP_JWKS_ENDPOINT",
)
OIDC_NEEDED = (*OIDC_ENDPOINTS, "OIDC_RP_CLIENT_ID", "OIDC_RP_CLIENT_SECRET")


@register(Tags.security)
def check_secrets_keys(**kwargs: object) -> list[CheckMessage]:
    bad = crypto.bad_keys(settings.SECRETS_KEYS)
    if not bad:
        return []
    numbers = ", ".join(map(str, bad))
    return [
        Error(
            f"SECRETS_KEYS holds a value that is not a Fernet key (number {numbers}).",
            hint="Make one with: python -c 'from cryptography.fernet import Fernet;"
            " print(Fernet.generate_key().decode())'",
            id="centerhook.E101",
        )
    ]


@register(Tags.security)
def check_redis(**kwargs: object) -> list[CheckMessage]:
    try:
        redis_server.connect(settings.REDIS_URL)
    except redis_server.UnreadableUrl as error:
        hint = "docs/high-availability.md has a line of each kind."
        return [Error(str(error), hint=hint, id="centerhook.E105")]
    return []


@register(Tags.security)
def check_ports(**kwargs: object) -> list[CheckMessage]:
    """With one port for several hosts, all of them would be asked at that one."""
    database = settings.DATABASES["default"]
    hosts, ports = (str(database[name]).split(",") for name in ("HOST", "PORT"))
    if not database["PORT"] or len(hosts) == len(ports):
        return []
    return [
        Error(
            f"DATABASE_URL names {len(hosts)} hosts and a port for some of them only.",
            hint="Give each host its port: postgres://USER:PASSWORD@one:5432,two:5432"
            "/NAME",
            id="centerhook.E106",
        )
    ]


@register(Tags.security)
def check_lease(**kwargs: object) -> list[CheckMessage]:
    """A lease may be shorter than a request, since it is renewed while one runs."""
    if settings.LEASE_SECONDS >= MIN_LEASE:
        return []
    return [
        Error(
            f"LEASE_SECONDS is {settings.LEASE_SECONDS:g}: too short to be renewed in"
            " time, so that workers would take deliveries from each other.",
            hint=f"Give at least {MIN_LEASE:g}; 60 suits nearly everyone.",
            id="centerhook.E102",
        )
    ]


@register(Tags.security)
def check_mode(**kwargs: object) -> list[CheckMessage]:
    if not settings.MODE or mode.is_known(settings.MODE):
        return []
    return [
        Error(
            f"MODE is {settings.MODE!r}, which is none. Nothing is sent, to be safe.",
            hint="Give paused, read-only or normal, or take the line away.",
            id="centerhook.E108",
        )
    ]


@register(Tags.security)
def check_query_deadline(**kwargs: object) -> list[CheckMessage]:
    if settings.QUERY_DEADLINE >= 1:
        return []
    return [
        Error(
            f"QUERY_DEADLINE is {settings.QUERY_DEADLINE:g}: so short that ordinary"
            " pages would be stopped.",
            hint="Give the seconds that people wait for a page; 30 suits nearly"
            " everyone.",
            id="centerhook.E103",
        )
    ]


@register(Tags.security)
def check_inbound_limits(**kwargs: object) -> list[CheckMessage]:
    names = ("INBOUND_MAX_BYTES", "INBOUND_PER_SECOND")
    return [
        Error(
            f"{name} is {getattr(settings, name)}: no call of another system could be"
            " taken.",
            hint="Give at least 1, or take the line away: the default suits nearly"
            " everyone.",
            id="centerhook.E104",
        )
        for name in names
        if getattr(settings, name) < 1
    ]


@register("retention")
def check_retention(**kwargs: object) -> list[CheckMessage]:
    return [
        Error(sentence, hint=advice, id="centerhook.E107")
        for sentence, advice in retention.problems()
    ]


@register(Tags.security)
def check_sign_in_limits(**kwargs: object) -> list[CheckMessage]:
    limits = {
        "SIGN_IN_TRIES": settings.SIGN_IN_TRIES >= 1,
        "SIGN_IN_LOCK_MINUTES": settings.SIGN_IN_LOCK_MINUTES >= 1,
        "SESSION_HOURS": settings.SESSION_COOKIE_AGE >= 60,
    }
    return [
        Error(
            f"{name} is so small that nobody could sign in, or that it protects"
            " nothing.",
            hint="Take the line away: the default suits nearly everyone.",
            id="centerhook.E201",
        )
        for name, is_sane in limits.items()
        if not is_sane
    ]


@register(Tags.security)
def check_sentry(**kwargs: object) -> list[CheckMessage]:
    if not settings.SENTRY_DSN:
        return []
    try:
        sentry.check(settings.SENTRY_DSN)
    except sentry.Unusable as problem:
        return [Error(str(problem), hint=problem.hint, id="centerhook.E401")]
    return []


@register(Tags.security)
def check_single_sign_on(**kwargs: object) -> list[CheckMessage]:
    return list(_single_sign_on_errors()) if settings.OIDC_ISSUER else []


def _single_sign_on_errors() -> Iterator[CheckMessage]:
    if find_spec("mozilla_django_oidc") is None:
        yield Error(
            "OIDC_ISSUER is set, but what single sign-on needs is not installed.",
            hint="Run: python -m pip install -r requirements-oidc.txt",
            id="centerhook.E202",
        )
    missing = [name for name in OIDC_NEEDED if not getattr(settings, name)]
    if missing:
        issuer = settings.OIDC_ISSUER.rstrip("/")
        yield Error(
            f"OIDC_ISSUER is set, but {', '.join(missing)} is not.",
            hint="The provider lists its endpoints at"
            f" {issuer}/.well-known/openid-configuration",
            id="centerhook.E203",
        )
    open_ = [name for name in OIDC_ENDPOINTS if _is_open(getattr(settings, name))]
    if open_:
        yield Error(
            f"{', '.join(open_)} is not an https:// URL, so that anybody on the way"
            " could sign in as somebody else.",
            hint="Use the provider's https:// URLs.",
            id="centerhook.E204",
        )


def _is_open(url: str) -> bool:
    parts = urlsplit(url)
    is_here = parts.hostname in ("localhost", "127.0.0.1", "::1")
    return bool(url) and parts.scheme != "https" and not is_here
