"""What the door knows of each listener, looked up anew every few seconds."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock

from feedback.access.addresses import Network, parse_address, parse_networks

from .. import crypto
from ..models import Listener, ListenerCheck, ListenerKey, Scheme
from .responses import Reply
from .verification import Headers, Problem, Reason, Verify, verifier

logger = logging.getLogger(__name__)

# How long what is known of a listener is taken for true.
KEPT = timedelta(seconds=2)
# Listeners, and keys of none, that are known at once.
MAX_KNOWN = 1_000
_MAX_KEY = 64


@dataclass(frozen=True, slots=True)
class Check:
    """One way to show who calls; without `verify` it is by an API key.

    `api_key` is the only one that may, or None for any.
    """

    label: str
    verify: Verify | None = None
    secrets: tuple[str, ...] = field(default=(), repr=False)
    api_key: int | None = None


@dataclass(frozen=True, slots=True)
class Entrance:
    listener: int
    community: int
    project: int | None
    ends_at: datetime | None
    method: str
    payload_format: str
    networks: tuple[Network, ...]
    checks: tuple[Check, ...]
    reply: Reply

    def allows(self, address: str) -> bool:
        caller = parse_address(address)
        return not self.networks or (
            caller is not None and any(caller in each for each in self.networks)
        )

    def credentials(self, token: str) -> list[str]:
        """What a call may hold that opens this door or another."""
        secrets = [secret for check in self.checks for secret in check.secrets]
        return [token, *secrets] if token else secrets


class Entrances:
    """Entrances by key. Keys of no listener are remembered too, and apart.

    So neither kind costs more than the other, and guesses push out no listener.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._known: OrderedDict[str, tuple[datetime, Entrance]] = OrderedDict()
        self._missing: OrderedDict[str, tuple[datetime, None]] = OrderedDict()

    def find(self, key: str, now: datetime) -> Entrance | None:
        if not key or len(key) > _MAX_KEY or not (key.isascii() and key.isprintable()):
            return None
        with self._lock:
            entry = self._known.get(key) or self._missing.get(key)
        if entry is not None and abs(now - entry[0]) < KEPT:
            return entry[1]
        entrance = _load(key)
        with self._lock:
            self._known.pop(key, None)
            self._missing.pop(key, None)
            if entrance is None:
                self._missing[key] = (now, None)
            else:
                self._known[key] = (now, entrance)
            for entries in (self._known, self._missing):
                if len(entries) > MAX_KNOWN:
                    entries.popitem(last=False)
        return entrance

    def clear(self) -> None:
        with self._lock:
            self._known.clear()
            self._missing.clear()


def _load(key: str) -> Entrance | None:
    """None for a listener too that is being deleted, alone or with its owner."""
    owners = [f"listener__{name}" for name in ("community", "project", "feedback_type")]
    row = ListenerKey.objects.select_related(*owners).filter(key=key).first()
    if row is None or _is_going(row.listener):
        return None
    listener = row.listener
    rows = listener.checks.select_related("secret")
    return Entrance(
        listener=listener.pk,
        community=listener.community_id,
        project=listener.project_id,
        ends_at=row.ends_at,
        method=listener.method,
        payload_format=listener.payload_format,
        networks=tuple(parse_networks(listener.allowed_ips)),
        checks=tuple(map(_check, rows)),
        reply=Reply.of(listener),
    )


def _is_going(listener: Listener) -> bool:
    owners = (listener.community, listener.project, listener.feedback_type)
    rows = (listener, *owners)
    return any(row is not None and row.deleting_since for row in rows)


def _check(row: ListenerCheck) -> Check:
    label = row.get_scheme_display()
    if row.scheme == Scheme.API_KEY:
        return Check(label, api_key=row.api_key_id)
    try:
        if row.secret is None:
            raise ValueError("it has no secret")
        verify = verifier(
            row.scheme,
            header=row.header,
            algorithm=row.algorithm,
            encoding=row.encoding,
            prefix=row.prefix,
        )
        return Check(label, verify, (row.secret.reveal(),))
    except (crypto.Undecryptable, LookupError, ValueError) as error:
        logger.error("Nobody passes check %s of a listener: %s", row.pk, error)
        return Check(label, _nobody)


def _nobody(
    headers: Headers, body: bytes, secrets: Sequence[str], now: datetime
) -> Problem:
    """A check that can't be made is passed by nobody, and goes on being one."""
    return Problem(Reason.MISSING, _UNUSABLE)


_UNUSABLE = (
    "The listener's secret can't be read here, so nobody can show who calls. Enter the"
    " secret's value again."
)
