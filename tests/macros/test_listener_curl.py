"""The commands on a listener's page are let in, in a real shell."""

from __future__ import annotations

import shutil
import subprocess
from itertools import pairwise

import pytest
from django.utils import timezone

from macros.admin.listener_curl import commands
from macros.listeners.verification import verifier
from macros.models import Listener, ListenerCheck, Scheme

SECRET = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
SIGNED = [each for each in Scheme.values if each != Scheme.API_KEY]
HMACS = [
    {"algorithm": "sha512", "encoding": "base64", "prefix": "it's $HOME: "},
    {"algorithm": "sha1", "encoding": "hex", "prefix": "sha1="},
]


def checks() -> list[ListenerCheck]:
    plain = [ListenerCheck(scheme=each) for each in SIGNED if each != Scheme.HMAC]
    made = [*plain, ListenerCheck(scheme=Scheme.STRIPE, header="X-Pay-Signature")]
    for values in HMACS:
        made.append(ListenerCheck(scheme=Scheme.HMAC, header="X-Sign", **values))
    return made


def arguments(script: str) -> list[str]:
    """What curl would get."""
    fake = "curl() { printf '%s\\0' \"$@\"; }\n"
    script = script.replace("the secret of the listener", SECRET)
    run = subprocess.run(
        ["sh", "-c", fake + script], capture_output=True, text=True, check=True
    )
    assert run.stderr == ""
    return run.stdout.split("\0")[:-1]


@pytest.mark.parametrize("check", checks(), ids=lambda each: each.scheme)
def test_the_signature_is_the_one_that_is_expected(check: ListenerCheck) -> None:
    if shutil.which("openssl") is None:
        pytest.fail("openssl is not installed.")
    address = "https://hooks.example/hooks/it's-$a-key/"
    [(name, script)] = commands(Listener(), address, [check])
    assert name == check.get_scheme_display()
    given = arguments(script)
    pairs = list(pairwise(given))
    lines = [value for option, value in pairs if option == "--header"]
    headers = {
        name.lower(): value.strip()
        for name, _, value in (line.partition(":") for line in lines)
    }
    [body] = [value for option, value in pairs if option == "--data-raw"]
    assert address in given
    verify = verifier(
        check.scheme,
        header=check.header,
        algorithm=check.algorithm,
        encoding=check.encoding,
        prefix=check.prefix,
    )
    assert verify(headers, body.encode(), [SECRET], timezone.now()) is None
