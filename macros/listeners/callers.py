"""Who calls: by a signature over the body, or by an API key."""

from __future__ import annotations

from base64 import b64decode
from urllib.parse import parse_qsl

from feedback.access.keys import TOO_MANY, KeyActor, KeyRefused
from feedback.access.recent import recent
from feedback.models import KeyOutcome, KeyScope

from ..models import Refusal
from .entrances import Check, Entrance
from .intake import RawCall
from .refusals import CallRefused, refused
from .verification import Problem, Reason

KEY_HEADER = "x-api-key"
# For systems that can send neither a header nor a password: logs of proxies keep it.
KEY_PARAMETER = "api_key"

_NOBODY = "This listener lets nobody in: give it a way to show who calls, or addresses."
_NO_KEY = (
    "Send the API key in the header 'Authorization: Bearer <token>' or 'X-Api-Key', as"
    f" the password of Basic authentication, or as the parameter {KEY_PARAMETER}."
)
_REASONS = {
    KeyOutcome.ADDRESS_NOT_ALLOWED.value: Refusal.ADDRESS_NOT_ALLOWED,
    TOO_MANY: Refusal.TOO_MANY,
}


def token_in(call: RawCall) -> str:
    """The API key of a call, wherever it is; empty where it has none."""
    headers, query = call.headers, call.query
    scheme, _, value = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() == "basic":
        return _password(value)
    if token := headers.get(KEY_HEADER, "").strip():
        return token
    if KEY_PARAMETER not in query:
        return ""
    return dict(parse_qsl(query, max_num_fields=None)).get(KEY_PARAMETER, "")


def _password(value: str) -> str:
    """From `user:password`; a user without a password is taken for the key."""
    try:
        text = b64decode(value.strip(), validate=True).decode()
    except ValueError:
        return ""
    user, _, password = text.partition(":")
    return password or user


def let_in(entrance: Entrance, call: RawCall, token: str) -> str:
    """What the caller has passed, in words. Raises CallRefused.

    `token` is the API key of the call, if any. One of the checks is enough; of several
    problems the caller learns of the nearest.
    """
    problems = []
    for check in entrance.checks:
        if check.verify is None:
            continue
        problem = check.verify(call.headers, call.body, check.secrets, call.received_at)
        if problem is None:
            return check.label
        problems.append(problem)
    keys = [check for check in entrance.checks if check.verify is None]
    if keys and token:
        return _by_key(entrance, keys, token, call.address)
    if problems:
        raise _unsigned(max(problems, key=lambda problem: problem.reason))
    if keys:
        raise _unauthorized(_NO_KEY)
    if entrance.networks:
        return "Allowed address"
    raise _unauthorized(_NOBODY)


def _unsigned(problem: Problem) -> CallRefused:
    is_stale = problem.reason is Reason.STALE
    reason = Refusal.STALE if is_stale else Refusal.BAD_SIGNATURE
    return refused(401, reason, problem.sentence)


def _unauthorized(sentence: str) -> CallRefused:
    challenge = 'Bearer realm="CenterHook"'
    return refused(401, Refusal.BAD_KEY, sentence, WWW_Authenticate=challenge)


def _by_key(entrance: Entrance, checks: list[Check], token: str, address: str) -> str:
    try:
        actor = recent.authenticate(token, address, KeyScope.LISTENER)
    except KeyRefused as refusal:
        if refusal.status == 401:
            raise _unauthorized(refusal.message) from refusal
        wait = {"Retry_After": str(refusal.retry_after)} if refusal.retry_after else {}
        reason = _REASONS.get(refusal.code, Refusal.BAD_KEY)
        raise refused(refusal.status, reason, refusal.message, **wait) from refusal
    if not _is_meant(entrance, checks, actor):
        raise _unauthorized("This API key is not one that may call this listener.")
    return f"API key {actor.key}"


def _is_meant(entrance: Entrance, checks: list[Check], actor: KeyActor) -> bool:
    key = actor.key
    if key.community_id != entrance.community:
        return False
    if key.project_id is not None and key.project_id != entrance.project:
        return False
    return any(check.api_key in (None, key.pk) for check in checks)
