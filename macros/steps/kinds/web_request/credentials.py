"""How a web request proves who sends it: what may be written there."""

from __future__ import annotations

from collections.abc import Iterator

from ....auth.kinds import SECRET_FIELDS, AuthKind, token_parameters
from ....http import TransportError, origin_of, signing
from ....models import Macro, Secret
from ....models.steps import Settings
from ....tags import Scope, normalise
from ....tags.names import nearest

_NEEDED = {
    AuthKind.BASIC: ("auth_user", "auth_secret"),
    AuthKind.BEARER: ("auth_secret",),
    AuthKind.OAUTH: ("auth_user", "auth_secret", "token_url"),
}


def check_credentials(
    step: Settings, macro: Macro, scope: Scope
) -> Iterator[tuple[str, str]]:
    """Each field that can't be right, with a sentence."""
    if step["auth_kind"] not in AuthKind.values:
        return  # It is refused as a choice.
    kind = AuthKind(step["auth_kind"])
    for field in _NEEDED.get(kind, ()):
        if not step[field].strip():
            yield field, f"{kind.label} needs this."
    for field in SECRET_FIELDS:
        name = step[field]
        if name and normalise(name) not in scope.secrets:
            yield field, _unknown(name, scope)
    if kind != AuthKind.NONE and "authorization" in _header_names(step["headers"]):
        yield "headers", "Authorization is given here and as authentication too."
    if kind == AuthKind.BASIC and ":" in step["auth_user"]:
        yield "auth_user", "A user name for Basic authentication can't hold a colon."
    if kind == AuthKind.OAUTH:
        yield from _check_token_request(step)
    yield from _check_signing(step, macro, scope)


def _unknown(name: str, scope: Scope) -> str:
    meant = nearest(name, scope.secrets)
    return f"There is no secret '{name}'." + (
        f" Did you mean {meant}?" if meant else ""
    )


def _header_names(text: str) -> set[str]:
    return {line.partition(":")[0].strip().lower() for line in text.splitlines()}


def _check_token_request(step: Settings) -> Iterator[tuple[str, str]]:
    if step["token_url"]:
        try:
            origin_of(step["token_url"])
        except TransportError as error:
            yield "token_url", error.message
    try:
        token_parameters(step["token_parameters"])
    except ValueError as error:
        yield "token_parameters", str(error)


def _check_signing(
    step: Settings, macro: Macro, scope: Scope
) -> Iterator[tuple[str, str]]:
    if step["previous_signing_secret"] and not step["signing_secret"]:
        yield "signing_secret", "Give the new secret here, and the old one below."
    if step["signing_secret"] and "webhook-signature" in _header_names(step["headers"]):
        problem = "Webhook-Signature is given here and by the signing secret too."
        yield "headers", problem
    for field in ("signing_secret", "previous_signing_secret"):
        key = normalise(step[field])
        vault = Secret.objects.open(macro.community_id, macro.project_id, {key} - {""})
        if key not in scope.secrets:
            continue
        problem = vault.problem(key)
        if not problem:
            try:
                signing.parse_key(vault.values[key])
            except ValueError as error:
                problem = f"The value of the secret {error}."
        if problem:
            yield field, problem
