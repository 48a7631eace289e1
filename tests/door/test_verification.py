"""Six cases for each scheme, and whatever else a caller may put into its headers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st
from slack_sdk.signature import SignatureVerifier
from standardwebhooks import Webhook

from macros.listeners.verification import WINDOW, Reason, Verify, verifier
from macros.models import Scheme
from tests.door import signing
from tests.door.signing import OTHER, SECRET, Headers, Sign

NOW = datetime(2026, 11, 26, 12, 0, 0, tzinfo=UTC)
AT = int(NOW.timestamp())
# Odd white space, a key twice, and a letter that JSON may write in two ways.
BODY = b'{ "key":\t"BUG-1",\r\n  "key" : "BUG-2", "name": "Gr\\u00fcn" }\n'
COMPACT = b'{"key":"BUG-1","key":"BUG-2","name":"Gr\\u00fcn"}'


@dataclass(frozen=True)
class Case:
    name: str
    verify: Verify
    sign: Sign
    signs_body: bool = True
    has_time: bool = False

    def __str__(self) -> str:
        return self.name


HMAC = {"header": "X-Sum", "algorithm": "sha512", "encoding": "base64"}
CASES = [
    Case("standard", verifier("standard_webhooks"), signing.standard, has_time=True),
    Case("github", verifier("github"), signing.github),
    Case("gitlab", verifier("gitlab"), signing.gitlab_token, signs_body=False),
    Case("gitlab signed", verifier("gitlab"), signing.standard, has_time=True),
    Case("slack", verifier("slack"), signing.slack, has_time=True),
    Case("atlassian", verifier("atlassian"), signing.atlassian),
    Case("stripe", verifier("stripe"), signing.stripe, has_time=True),
    Case("hmac", verifier("hmac", prefix="sum:", **HMAC), signing.hmac_sha512),
]
SIGNED = [case for case in CASES if case.signs_body]
TIMED = [case for case in CASES if case.has_time]
each = pytest.mark.parametrize("case", CASES, ids=str)
each_signed = pytest.mark.parametrize("case", SIGNED, ids=str)
each_timed = pytest.mark.parametrize("case", TIMED, ids=str)


def reason(
    case: Case, headers: Headers, body: bytes = BODY, *, secrets: Any = (SECRET,)
) -> Reason | None:
    problem = case.verify(headers, body, secrets, NOW)
    assert problem is None or problem.sentence.endswith(".")
    return problem and problem.reason


def test_every_scheme_has_its_cases_here() -> None:
    names = {case.name.partition(" ")[0] for case in CASES}
    schemes = {scheme.value.partition("_")[0] for scheme in Scheme}
    assert names == schemes - {"api"}


@each
def test_the_exact_bytes_are_right(case: Case) -> None:
    assert reason(case, case.sign(BODY, SECRET, AT)) is None


@each_signed
@pytest.mark.parametrize("body", [COMPACT, BODY + b" ", BODY.replace(b"1", b"2"), b""])
def test_other_bytes_are_wrong(case: Case, body: bytes) -> None:
    assert reason(case, case.sign(BODY, SECRET, AT), body) == Reason.WRONG


@each
def test_the_secret_of_somebody_else_is_wrong(case: Case) -> None:
    assert reason(case, case.sign(BODY, OTHER, AT)) == Reason.WRONG
    assert reason(case, case.sign(BODY, SECRET, AT), secrets=()) == Reason.WRONG


@each
def test_two_secrets_are_right_while_they_are_changed(case: Case) -> None:
    for secret in (SECRET, OTHER):
        signed = case.sign(BODY, secret, AT)
        assert reason(case, signed, secrets=(OTHER, SECRET)) is None


@each
def test_each_header_is_needed(case: Case) -> None:
    assert reason(case, {}) == Reason.MISSING
    signed = case.sign(BODY, SECRET, AT)
    for name in signed:
        for rest in ({**signed, name: ""}, {k: signed[k] for k in signed if k != name}):
            assert reason(case, rest) == Reason.MISSING


@each_timed
@pytest.mark.parametrize("apart", [WINDOW, -WINDOW])
def test_clocks_may_be_apart_a_little(case: Case, apart: int) -> None:
    assert reason(case, case.sign(BODY, SECRET, AT + apart)) is None


@each_timed
@pytest.mark.parametrize("apart", [WINDOW + 1, -WINDOW - 1, 10**9, -AT])
def test_what_was_signed_at_another_time_is_stale(case: Case, apart: int) -> None:
    assert reason(case, case.sign(BODY, SECRET, AT + apart)) == Reason.STALE
    assert reason(case, case.sign(BODY, OTHER, AT + apart)) == Reason.WRONG


ODD = ["x", "=", ",", " ", "v1,", "v0=", "sha256=", "t=,v1=", "\xff", "é", "\0", "۱۲۳"]
ODD += ["1_0", "-5", "1e9", "9" * 5_000, "\ud800", "v1,é", "a" * 64, "v1=" * 999]


@each
@pytest.mark.parametrize("odd", ODD, ids=range(len(ODD)))
def test_what_is_malformed_is_refused_and_raises_nothing(case: Case, odd: str) -> None:
    signed = case.sign(BODY, SECRET, AT)
    for name, value in signed.items():
        if name == "webhook-id":
            assert reason(case, {**signed, name: odd}) == Reason.WRONG
            continue
        assert reason(case, {**signed, name: odd}) is not None
        assert reason(case, {**signed, name: value + odd}) is not None or odd in " ,"


@pytest.mark.sweep
@each
@given(data=st.data())
def test_no_header_at_all_makes_it_raise(case: Case, data: st.DataObject) -> None:
    names = list(case.sign(BODY, SECRET, AT))
    headers = data.draw(st.fixed_dictionaries({name: st.text() for name in names}))
    assert reason(case, headers, data.draw(st.binary())) is not None


def test_the_vector_of_standard_webhooks_and_its_signatures_in_a_row() -> None:
    """From the specification; `v1a` is made with a key pair, which is not ours."""
    right = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    headers = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
    }
    then = datetime.fromtimestamp(1614265330, UTC) + timedelta(seconds=9)
    verify = verifier("standard_webhooks")
    for row in (right, f"v1a,abc= {right}", f"v1,AAAA {right} v2,x"):
        signed = {**headers, "webhook-signature": row}
        assert verify(signed, b'{"test": 2432232314}', [SECRET], then) is None


def test_what_the_library_of_standard_webhooks_signs_is_right() -> None:
    for secret in (SECRET, OTHER.removeprefix("whsec_")):
        signature = Webhook(secret).sign("msg_7", NOW, BODY.decode())
        headers = {
            "webhook-id": "msg_7",
            "webhook-timestamp": str(AT),
            "webhook-signature": signature,
        }
        assert reason(CASES[0], headers, secrets=(secret,)) is None


def test_a_secret_that_is_no_base64_is_the_key_as_it_is() -> None:
    secret = "plain words, ümlauts"
    signature = Webhook(secret.encode()).sign("msg_7", NOW, BODY.decode())
    headers = {
        "svix-id": "msg_7",
        "svix-timestamp": str(AT),
        "svix-signature": signature,
    }
    assert reason(CASES[0], headers, secrets=(secret,)) is None


@pytest.mark.parametrize("apart", [0, 299, -299, 301, -301])
@pytest.mark.parametrize("body", [BODY, COMPACT])
def test_slacks_own_library_thinks_the_same(apart: int, body: bytes) -> None:
    headers = signing.slack(BODY, SECRET, AT + apart)
    with time_machine.travel(NOW, tick=False):
        theirs = SignatureVerifier(SECRET).is_valid_request(body, headers)
    assert theirs == (verifier("slack")(headers, body, [SECRET], NOW) is None)


def test_stripe_may_sign_with_two_secrets_at_once() -> None:
    old, new = (signing.stripe(BODY, secret, AT) for secret in (OTHER, SECRET))
    header = f"{old['stripe-signature']},v1={new['stripe-signature'][-64:]},v0=00"
    for secret in (SECRET, OTHER):
        assert reason(CASES[6], {"stripe-signature": header}, secrets=(secret,)) is None
    twice = f"t={AT},{new['stripe-signature']}"
    assert reason(CASES[6], {"stripe-signature": twice}) == Reason.MALFORMED


def test_a_gitlab_token_may_have_any_letters() -> None:
    token = "grün und 漢字"
    as_wsgi_reads_it = token.encode().decode("latin-1")
    headers = {"x-gitlab-token": as_wsgi_reads_it}
    assert reason(CASES[2], headers, secrets=(token,)) is None
    assert reason(CASES[2], headers, secrets=("grün",)) == Reason.WRONG
