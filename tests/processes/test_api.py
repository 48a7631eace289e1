"""The API on real processes: an outside program's whole job, and bad company."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from centerhook.api import openapi_spec
from centerhook.receiver import Receiver
from feedback.models import FeedbackType, KeyScope
from logs.models import Run
from macros.models import Macro
from macros.queue import has_worker
from tests import factories
from tests.api.callers import issue_key
from tests.processes.accounts import SOAK
from tests.processes.conftest import wait_until
from tests.processes.web import start_web

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]

ROOT = Path(__file__).resolve().parents[2]
# It takes all of a core for minutes.
IS_WHOLE = SOAK == "whole"


def test_a_program_with_nothing_but_a_key_does_the_whole_job(
    start: Callable[..., Any], receiver: Receiver
) -> None:
    bugs = factories.feedback_type()
    closed = bugs.statuses.get(name="Closed")
    for severity, status, count in [
        ("Critical", None, 70),
        ("Critical", closed, 3),
        ("Minor", None, 4),
    ]:
        answers = {"severity": severity}
        factories.tickets(bugs, count, status=status, form_values=answers)
    factories.macro(
        bugs,
        f"{receiver.url}/jira/rest/api/3/issue",
        name="Create Jira issue",
        headers="Authorization: Bearer s3cret-jira-token",
        body='{"summary": "((Reference)) ((Title))"}',
    )
    start("worker")
    start("clock")
    url = start_web(start)
    wait_until(has_worker)

    report = outside_program(f"{url}/api/v1", issue_key(bugs))

    wanted = sorted(f"BUG-{number}" for number in range(1, 71))
    assert sorted(report["references"]) == wanted
    assert sorted(report["delivered"]) == wanted
    sent = [json.loads(request.body)["summary"] for request in receiver.requests]
    assert sorted(sent) == [f"{reference} It breaks" for reference in wanted]
    assert set(report["webhook_ids"]) == set(receiver.ids)
    assert report["statuses"] == {201}
    assert "s3cret-jira-token" not in report["last_attempt"]
    assert "Authorization: Bearer ••••••" in report["last_attempt"]


def outside_program(api: str, key: str) -> dict[str, Any]:
    """Knows the address, the key and docs/api.md."""
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {key}"

        def get(address: str, **query: Any) -> Any:
            response = session.get(address, params=query, timeout=30)
            response.raise_for_status()
            return response.json()

        def rows(resource: str, **query: Any) -> list[Any]:
            page = get(f"{api}/{resource}/", **query)
            results = page["results"]
            while page["next"]:
                page = get(page["next"])
                results += page["results"]
            return results

        asked = {"type": "Bug Report", "open": "true", "field_severity": "Critical"}
        tickets = rows("feedback", **asked)
        [macro] = rows("macros", name="Create Jira issue")
        orders = [
            session.post(
                f"{api}/macros/{macro['id']}/runs/",
                json={"filter": asked},
                headers={"Idempotency-Key": "tonight"},
                timeout=30,
            )
            for _ in range(2)
        ]
        assert orders[0].headers["Location"] == orders[1].headers["Location"]
        run = orders[0].json()
        assert run["counts"]["total"] == len(tickets) and not run["notice"]
        give_up = time.monotonic() + 60
        while not run["is_settled"]:
            assert time.monotonic() < give_up, run
            time.sleep(0.1)
            run = get(orders[0].headers["Location"])
        deliveries = rows("deliveries", run=run["id"], state="delivered")
        last = get(f"{api}/deliveries/{deliveries[-1]['id']}/")
        return {
            "references": [each["reference"] for each in tickets],
            "delivered": [each["reference"] for each in deliveries],
            "webhook_ids": [each["webhook_id"] for each in deliveries],
            "statuses": {each["last_status"] for each in deliveries},
            "last_attempt": json.dumps(last["attempt_log"][0], ensure_ascii=False),
        }


def crowd(receiver_url: str) -> FeedbackType:
    """A community with some of everything, and another one beside it."""
    for name in ("Bug Report", "Somebody else's"):
        made = factories.feedback_type(name)
        factories.tickets(made, 5, form_values={"severity": "Critical"})
        for number in range(3):
            macro = factories.macro(made, f"{receiver_url}/{number}")
            factories.run(macro)
    return FeedbackType.objects.get(name="Bug Report")


@pytest.mark.sweep
def test_no_request_that_a_fuzzer_thinks_of_is_a_server_error(
    start: Callable[..., Any], receiver: Receiver, tmp_path: Path
) -> None:
    """Some requests to each operation; tests/api/test_conformance.py goes deeper."""
    scopes = dict.fromkeys([f"scope_{scope}" for scope in KeyScope.values], True)
    token = issue_key(crowd(receiver.url), **scopes)
    url = start_web(start, LOG_LEVEL="ERROR", API_PER_MINUTE=0)
    report = tmp_path / "report.json"
    fuzzer = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli"),
            *("--config-file", str(ROOT / "schemathesis.toml"), "run"),
            f"{url}/api/v1/schema/",
            *("--header", f"Authorization: Bearer {token}"),
            # Wrong keys are refused with 401, and the 31st with 429: it knows no 429.
            # What the web server refuses before the API sees it (414) is in no schema.
            *("--checks", "all"),
            *("--exclude-checks", "ignored_auth,status_code_conformance"),
            *(
                "--phases",
                "examples,coverage,fuzzing" if IS_WHOLE else "examples,fuzzing",
            ),
            *("--max-examples", "100" if IS_WHOLE else "5", "--seed", "1"),
            "--continue-on-failure",
            *("--report", "json", "--report-json-path", str(report)),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert fuzzer.returncode == 0, fuzzer.stdout
    summary = json.loads(report.read_text())
    operations = sum(len(each) for each in openapi_spec()["paths"].values())
    assert summary["operations"]["tested"] == operations
    assert summary["test_cases"]["generated"] > 3 * operations
    assert not summary["failures"] and not summary["errors"]


def test_big_bodies_and_header_bombs_are_refused_and_the_server_goes_on(
    start: Callable[..., Any], receiver: Receiver
) -> None:
    token = issue_key(crowd(receiver.url))
    url = f"{start_web(start)}/api/v1"
    macro = Macro.objects.filter(feedback_type__name="Bug Report")[0]
    started = Run.objects.count()
    headers = {"Authorization": f"Bearer {token}"}
    runs = f"{url}/macros/{macro.pk}/runs/"
    body = {"ids": [1], "padding": "x" * 10_000_000}
    for who, status, code in [
        (headers, 413, "too_large"),
        ({}, 401, "not_authenticated"),
        ({"X-Api-Key": token}, 401, "key_in_wrong_header"),
    ]:
        refused = requests.post(runs, json=body, headers=who, timeout=30)
        assert (refused.status_code, refused.json()["code"]) == (status, code)
        assert refused.headers["Content-Type"] == "application/problem+json"
    bombs = [
        {"Authorization": f"Bearer {'x' * 100_000}"},
        {**headers, "X-Padding": "x" * 100_000},
        {**headers, **{f"X-Padding-{number}": "x" for number in range(500)}},
    ]
    for bomb in bombs:
        refused = requests.get(f"{url}/feedback/", headers=bomb, timeout=30)
        assert 400 <= refused.status_code < 500
        assert "BUG-1" not in refused.text and token not in refused.text
    # Up to the web server's limit it is the API that refuses.
    for length, type_ in [(7_900, "application/problem+json"), (8_200, "text/html")]:
        long = f"{url}/feedback/?search={'x' * length}"
        refused = requests.get(long, headers=headers, timeout=30)
        assert refused.status_code == (400 if length < 8_000 else 414)
        assert refused.headers["Content-Type"].startswith(type_)
    lie = {**headers, "X-Forwarded-For": "127.0.0.1, ::1, \u00b9"}
    lie = {name: value.encode() for name, value in lie.items()}
    fine = requests.get(f"{url}/feedback/", headers=lie, timeout=30)
    assert len(fine.json()["results"]) == 5
    assert Run.objects.count() == started
