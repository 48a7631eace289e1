"""Callers that were let in a moment ago, so that a busy key costs no query a call."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

from django.utils import timezone

from ..models import KeyScope
from .keys import KeyActor, authenticate, count_uses

# How long a key that was switched off, or its address, may still work here.
KEPT = timedelta(seconds=1)
MAX_CALLERS = 1_000


@dataclass(slots=True)
class _Caller:
    actor: KeyActor
    at: datetime
    # Calls since, which are not counted yet.
    uses: int = 0


class RecentCallers:
    """For doors that take hundreds of calls a second; others call `authenticate`.

    The first call of a second is looked up and counted, with those that came since the
    one before it: what a process still has to count when it is killed is lost.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        # Under a hash of the token, so that none is kept, and the address.
        self._callers: OrderedDict[tuple[bytes, str, str], _Caller] = OrderedDict()

    def authenticate(self, token: str, address: str, scope: KeyScope) -> KeyActor:
        """As `keys.authenticate`, with the scope required. Raises KeyRefused."""
        digest = hashlib.sha256(token.encode(errors="surrogatepass")).digest()
        known_as, now = (digest, address, scope.value), timezone.now()
        with self._lock:
            caller = self._callers.get(known_as)
            if caller is not None and abs(now - caller.at) < KEPT:
                caller.uses += 1
                return caller.actor
            self._callers.pop(known_as, None)
        if caller is not None:
            self._count(caller)
        actor = authenticate(token, address)
        actor.require(scope)
        with self._lock:
            self._callers[known_as] = _Caller(actor, now)
            is_full = len(self._callers) > MAX_CALLERS
            oldest = self._callers.popitem(last=False)[1] if is_full else None
        if oldest is not None:
            self._count(oldest)
        return actor

    def clear(self) -> None:
        with self._lock:
            self._callers.clear()

    def _count(self, caller: _Caller) -> None:
        if caller.uses:
            count_uses(caller.actor, caller.uses, caller.at)


recent = RecentCallers()
