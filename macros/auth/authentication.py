"""How the requests of a step are authenticated and signed, with its secrets."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from logs.models import Destination

from ..http import TlsOptions, TransportError, check_tls, signing
from ..models.secrets import Secret, Vault
from ..tags import MASK, RenderError, normalise
from .credentials import Credentials
from .kinds import SECRET_FIELDS, AuthKind, token_parameters
from .oauth import Grant

Headers = tuple[tuple[str, str], ...]
# A web request as a run keeps it.
Step = Mapping[str, Any]


class Forbidden(RenderError):
    """A secret would go to a host that it is not meant for."""


@dataclass(frozen=True, slots=True)
class Authentication:
    """What a step's requests carry to be accepted.

    `headers` are added to a request when it is built, `shown` to its masked twin;
    `credentials` are added when it goes out. `problem` says why the secrets can't be
    used at all, `refusal` why they may not be sent to this host.
    """

    headers: Headers = ()
    shown: Headers = ()
    credentials: Credentials | None = None
    problem: str = ""
    refusal: str = ""


def secrets_of(step: Step) -> frozenset[str]:
    """The names of the secrets that the step authenticates and signs with."""
    fields = SECRET_FIELDS if _kind(step) != AuthKind.NONE else SECRET_FIELDS[1:]
    return frozenset(normalise(step.get(field, "")) for field in fields) - {""}


def authenticate(step: Step, vault: Vault) -> Authentication:
    """Prepares the authentication; what is wrong with it is in the result."""
    for name in sorted(secrets_of(step)):
        if problem := vault.problem(name):
            return Authentication(problem=problem)
    try:
        keys = _signing_keys(step, vault)
        grant = _grant(step, vault)
    except ValueError as error:
        return Authentication(problem=str(error))
    headers, shown = _fixed(step, vault)
    if grant is not None:
        shown = (("Authorization", f"Bearer {MASK}"),)
    if keys:
        shown += (signing.TIMESTAMP_HEADER, MASK), (signing.SIGNATURE_HEADER, MASK)
    credentials = Credentials(keys, grant) if keys or grant else None
    refusal = vault.refusal(_name(step), grant.url) if grant else ""
    return Authentication(headers, shown, credentials, refusal=refusal)


def tls_options(destination: Destination) -> TlsOptions:
    """The destination's CA, and the client certificate with its key.

    Raises RenderError, or Forbidden if the key is not meant for this host.
    """
    name = normalise(destination.client_key_secret)
    if not name:
        return TlsOptions(ca=destination.ca_certificates)
    vault = Secret.objects.open(destination.community_id, None, [name])
    if problem := vault.problem(name):
        raise RenderError(None, problem)
    if refusal := vault.refusal(name, destination.origin):
        raise Forbidden(None, refusal)
    return TlsOptions(
        ca=destination.ca_certificates,
        certificate=destination.client_certificate,
        key=vault.values[name],
    )


def tls_problems(
    community: int,
    ca_certificates: str,
    client_certificate: str,
    client_key_secret: str,
) -> Iterator[tuple[str, str]]:
    """Each field of a destination with which TLS could not work, and why."""
    if problem := _tls_problem(TlsOptions(ca=ca_certificates)):
        yield "ca_certificates", problem
    name = normalise(client_key_secret)
    if not client_certificate.strip():
        if name:
            yield "client_certificate", "Give the certificate that the key is for."
        return
    if not name:
        yield "client_key_secret", "Give the secret that holds its private key."
        return
    vault = Secret.objects.open(community, None, [name])
    options = TlsOptions("", client_certificate, vault.values.get(name, ""))
    if name not in vault.values:
        missing = f"The community has no secret '{client_key_secret}'."
        yield "client_key_secret", vault.problems.get(name, missing)
    elif problem := _tls_problem(options):
        yield "client_certificate", problem


def _tls_problem(options: TlsOptions) -> str:
    try:
        check_tls(options)
    except TransportError as error:
        return error.message
    return ""


def _kind(step: Step) -> str:
    return str(step.get("auth_kind", AuthKind.NONE))


def _name(step: Step) -> str:
    return normalise(step["auth_secret"])


def _fixed(step: Step, vault: Vault) -> tuple[Headers, Headers]:
    """The header that is the same every time, and its masked twin."""
    if _kind(step) == AuthKind.BASIC:
        pair = f"{step['auth_user']}:{vault.values[_name(step)]}"
        scheme, value = "Basic", b64encode(pair.encode()).decode()
    elif _kind(step) == AuthKind.BEARER:
        scheme, value = "Bearer", vault.values[_name(step)]
    else:
        return (), ()
    return (
        (("Authorization", f"{scheme} {value}"),),
        (("Authorization", f"{scheme} {MASK}"),),
    )


def _grant(step: Step, vault: Vault) -> Grant | None:
    if _kind(step) != AuthKind.OAUTH:
        return None
    return Grant(
        step["token_url"],
        step["auth_user"],
        vault.values[_name(step)],
        token_parameters(step["token_parameters"]),
        step["token_in_body"],
    )


def _signing_keys(step: Step, vault: Vault) -> tuple[bytes, ...]:
    keys = []
    for field in ("signing_secret", "previous_signing_secret"):
        name = normalise(step.get(field, ""))
        if not name:
            continue
        try:
            keys.append(signing.parse_key(vault.values[name]))
        except ValueError as error:
            raise ValueError(f"The signing secret {name} {error}.") from None
    return tuple(keys)
