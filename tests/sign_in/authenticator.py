"""A phone with an authenticator app, as RFC 6238 has it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import struct
import time
from collections.abc import Sequence

from django.http import HttpResponse
from django.test import Client


def code(key: str, ahead: int = 0) -> str:
    """The code for the key that a page shows; `ahead` steps later than now."""
    secret = base64.b32decode(key.replace(" ", ""))
    counter = struct.pack(">Q", int(time.time()) // 30 + ahead)
    digest = hmac.digest(secret, counter, hashlib.sha1)
    number = struct.unpack_from(">I", digest, digest[-1] & 15)[0] & 0x7FFFFFFF
    return f"{number % 1_000_000:06}"


def key_on(page: HttpResponse) -> str:
    key = re.search(r'<code class="host">([A-Z2-7 ]+)</code>', page.content.decode())
    assert key, "The page shows no key."
    return key[1]


def set_up(client: Client) -> tuple[str, Sequence[str]]:
    """Go through the set-up page: the key, and the recovery codes shown."""
    key = key_on(client.get("/admin/second-factor/set-up/"))
    # The code of the step before is accepted, so that the present one is left to use.
    typed = code(key, ahead=-1)
    page = client.post("/admin/second-factor/set-up/", {"code": typed})
    return key, recovery_codes_on(page)


def recovery_codes_on(page: HttpResponse) -> Sequence[str]:
    return re.findall(
        r"(?<![\w-])(?:[a-z2-7]{4}-){3}[a-z2-7]{4}(?![\w-])", page.content.decode()
    )
