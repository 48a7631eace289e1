"""What a system has accepted is delivered, whatever its response can be used for."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from feedback.models import Feedback
from logs.models import Attempt, Delivery, Resend, Run, Transcript
from logs.recording.captures import MAX_DATA
from macros import deliveries
from macros.http.room import FREE
from macros.models import Macro
from macros.runs.resend import preview_resend, resend
from macros.steps.kinds.web_request import WebRequest
from tests import factories
from tests.http.hostile import Behaviour, Peer, Server, http_response

Serve = Callable[..., Server]

pytestmark = pytest.mark.django_db

KEY = {"name": "jira_key", "source": "json", "expression": "$.key", "required": True}
SECRET = "s3cret-token-of-ours"
CODE = {"name": "code", "source": "status", "type": "number"}
ACCEPTED = (
    "The system has accepted the request, so it counts as delivered, with a problem,"
    " and is not sent again by itself."
)


def responds(*bodies: str, status: str = "201 Created") -> Behaviour:
    """The last body again and again."""
    left = list(bodies)

    def behave(peer: Peer) -> None:
        while peer.request():
            body = left.pop(0) if len(left) > 1 else left[0]
            peer.say(http_response(body.encode(), status=status))

    return behave


def a_macro(url: str, *later: str, **options: Any) -> Macro:
    """A web request with return values, and later ones with these bodies."""
    bugs = factories.feedback_type()
    factories.ticket(bugs)
    factories.secret(bugs, "token", SECRET)
    options.setdefault("return_values", [KEY, CODE])
    macro = factories.macro(bugs, url, **options)
    for position, body in enumerate(later, start=1):
        step = WebRequest(macro=macro, position=position, url=url, body=body)
        step.body_kind = "text"
        step.full_clean(exclude=["step_ptr"])
        step.save()
    return macro


def deliver(run: Run) -> Run:
    deliveries.work(run.pk)
    run.refresh_from_db()
    return run


def states(run: Run) -> list[str]:
    return list(run.deliveries.order_by("step").values_list("state", flat=True))


def counters(run: Run) -> tuple[int, ...]:
    run.refresh_from_db()
    return run.delivered, run.problems, run.failed, run.skipped


def test_without_a_required_value_it_is_delivered_with_a_problem(serve: Serve) -> None:
    system = serve(responds('{"id": 5}'))
    run = deliver(factories.run(a_macro(system.url("/"), ladder="1 s, 1 s")))

    assert counters(run) == (1, 1, 0, 0)
    assert run.state == "finished" and len(system.requests) == 1
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.last_error) == ("delivered", "value")
    assert delivery.has_problem
    attempt = Attempt.objects.get()
    assert (attempt.status, attempt.error_class) == (201, "value")
    assert attempt.message.splitlines() == [
        "The required jira_key is missing: body $.key matches nothing.",
        ACCEPTED,
        "Stored: code = 201 (status)",
    ]
    assert delivery.feedback is not None
    assert delivery.feedback.external_data == {"code": 201}


def test_steps_that_do_not_need_it_go_on_and_the_first_that_does_ends_it(
    serve: Serve,
) -> None:
    system = serve(responds('{"id": 5}'))
    macro = a_macro(
        system.url("/"),
        "without",
        "((External: Jira Key|default:none))",
        "((External: jira_key))",
        "after it",
    )

    run = deliver(factories.run(macro))

    assert states(run) == ["delivered"] * 3 + ["skipped"] * 2
    assert counters(run) == (3, 1, 0, 2)
    message = Attempt.objects.order_by("pk")[0].message
    assert f"{ACCEPTED} Step 4 needs it, and is skipped with all after it." in message


def test_nor_does_a_step_run_that_needs_a_value_for_which_there_was_no_room(
    serve: Serve,
) -> None:
    url = serve(responds('{"key": "ABC-1"}')).url("/")
    macro = a_macro(url, "without", "((External: jira_key))")
    full = {f"n{n}": "x" * (MAX_DATA // 16 - 8) for n in range(16)}
    Feedback.objects.update(external_data=full)

    run = deliver(factories.run(macro))

    assert states(run) == ["delivered", "delivered", "skipped"]
    assert counters(run) == (2, 1, 0, 1)


def test_a_value_that_is_not_required_stops_nothing(serve: Serve) -> None:
    optional = {**KEY, "required": False}
    url = serve(responds("{}")).url("/")
    macro = a_macro(url, "((External: jira_key))", return_values=[optional])
    run = deliver(factories.run(macro))
    assert counters(run) == (2, 0, 0, 0)


def test_a_test_send_is_delivered_with_a_problem_too(serve: Serve) -> None:
    macro = a_macro(serve(responds("{}")).url("/"))
    run = factories.run(macro)
    Run.objects.update(cause="test", snapshot={**run.snapshot, "test": {}})
    run.refresh_from_db()
    assert counters(deliver(run)) == (1, 1, 0, 0)
    assert Attempt.objects.get().message.splitlines()[-1] == (
        "Would be stored: code = 201 (status)"
    )


def test_a_fault_of_ours_while_values_are_read_is_a_problem(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*arguments: object) -> None:
        raise MemoryError

    monkeypatch.setattr(deliveries.outcomes, "take_values", fails)
    url = serve(responds('{"key": "A"}')).url("/")
    run = deliver(factories.run(a_macro(url, "((External: jira_key))", ladder="1 s")))
    assert states(run) == ["delivered", "skipped"]
    assert counters(run) == (1, 1, 0, 1)


@pytest.fixture
def olivia(db: None) -> User:
    return factories.superuser("olivia")


def test_it_is_not_among_what_has_failed_and_a_resend_takes_it_from_the_count(
    serve: Serve, olivia: User
) -> None:
    system = serve(responds("{}", "{}", '{"key": "A-1"}'))
    macro = a_macro(system.url("/"), "without", "((External: jira_key))")
    run = deliver(factories.run(macro))
    assert states(run) == ["delivered", "delivered", "skipped"]
    assert not run.deliveries.filter(state="failed").exists()

    first = run.deliveries.filter(step=0)
    assert preview_resend(first, Resend.ANEW, olivia).delivered == 1
    resend(first, Resend.ANEW, olivia)

    assert counters(run) == (1, 0, 0, 0)
    assert states(run) == ["pending", "delivered", "waiting"]
    deliver(run)
    assert counters(run) == (3, 0, 0, 0)
    bodies = [each.partition(b"\r\n\r\n")[2] for each in system.requests]
    assert bodies[1:] == [b"without", bodies[0], b"A-1"]


def test_a_step_that_was_skipped_can_be_resent_once_somebody_gave_the_value(
    serve: Serve, olivia: User
) -> None:
    system = serve(responds("{}"))
    macro = a_macro(system.url("/"), "((External: jira_key))", "after it")
    run = deliver(factories.run(macro))
    assert states(run) == ["delivered", "skipped", "skipped"]
    last = run.deliveries.filter(step=2)
    assert preview_resend(last, Resend.ANEW, olivia).count == 0
    run.deliveries.get(step=0).feedback.__class__.objects.update(  # type: ignore[union-attr]
        external_data={"jira_key": "B-2"}
    )

    resend(run.deliveries.filter(step=1), Resend.ANEW, olivia)
    deliver(run)

    assert states(run) == ["delivered"] * 3
    bodies = [each.partition(b"\r\n\r\n")[2] for each in system.requests]
    assert bodies[1:] == [b"B-2", b"after it"]
    assert counters(run) == (3, 1, 0, 0)


def test_a_long_echo_is_read_whole_and_logged_in_part(serve: Serve) -> None:
    echo = json.dumps({"echo": "x" * 200_000, "key": "ABC-1"})
    run = deliver(factories.run(a_macro(serve(responds(echo)).url("/"))))
    assert counters(run) == (1, 0, 0, 0)
    attempt = Attempt.objects.get()
    assert attempt.message.startswith("Stored: jira_key = ABC-1")
    assert (len(attempt.response_body), attempt.response_cut) == (65_536, "size")


def test_what_is_longer_than_is_read_is_a_problem_not_a_failure(
    serve: Serve, settings: Any
) -> None:
    settings.RESPONSE_MAX_BYTES = 100_000
    echo = json.dumps({"echo": "x" * 200_000, "key": "ABC-1"})
    run = deliver(factories.run(a_macro(serve(responds(echo)).url("/"), ladder="1 s")))
    assert counters(run) == (1, 1, 0, 0)
    assert Attempt.objects.get().message.startswith(
        "The required jira_key is missing: body $.key can't be looked up: the response"
        " is not whole (longer than what is kept)."
    )


@pytest.mark.parametrize("rows", [[], [CODE]])
def test_more_than_is_logged_is_read_for_return_values_only(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, rows: list[dict[str, Any]]
) -> None:
    read: list[int] = []
    real = deliveries.outcomes.take_response

    def take_response(attempt: Attempt, response: Any) -> None:
        read.append(len(response.body))
        real(attempt, response)

    monkeypatch.setattr(deliveries.outcomes, "take_response", take_response)
    system = serve(responds("x" * 300_000))
    deliver(factories.run(a_macro(system.url("/"), return_values=rows)))
    assert read == [300_000 if rows else FREE]


def test_no_secret_is_picked_out_of_the_part_that_is_not_logged(serve: Serve) -> None:
    body = json.dumps({"echo": "x" * 100_000 + SECRET, "key": SECRET})
    picked = {"name": "picked", "source": "text", "expression": "s3cret-([a-z]+)"}
    url = serve(responds(body)).url("/")
    macro = a_macro(url, return_values=[KEY, picked], headers="X-A: ((Secret: token))")

    deliver(factories.run(macro))

    feedback = Delivery.objects.get().feedback
    assert feedback is not None and feedback.external_data == {"jira_key": "••••••"}
    logged = str([*Attempt.objects.values(), *Transcript.objects.values()])
    assert "token-of" not in logged and "••••••" in logged


def test_nor_the_part_of_one_with_which_a_cut_response_ends(
    serve: Serve, settings: Any
) -> None:
    settings.RESPONSE_MAX_BYTES = 100_000
    part = SECRET[:10]
    body = "x" * (100_000 - len(part)) + SECRET
    picked = {"name": "picked", "source": "text", "expression": "x(s3cret.*)"}
    url = serve(responds(body)).url("/")
    macro = a_macro(url, return_values=[picked], headers="X-A: ((Secret: token))")

    deliver(factories.run(macro))

    feedback = Delivery.objects.get().feedback
    assert feedback is not None and part not in str(feedback.external_data)


def test_people_see_it_on_the_run_in_the_log_and_in_the_api(
    serve: Serve, olivia: User, client: Client
) -> None:
    run = deliver(factories.run(a_macro(serve(responds("{}")).url("/"))))
    client.force_login(olivia)

    page = client.get(reverse("admin:logs_run_change", args=[run.pk]))
    html = page.content.decode()
    log = f"{reverse('admin:logs_delivery_changelist')}?run={run.pk}"
    link = f"{log}&amp;state__exact=delivered&amp;last_error=value"
    assert f'<a href="{link}">1 delivered with a problem</a>' in html
    overview = client.get(reverse("admin:index")).content.decode()
    assert "1 of 1 with a problem</span>" in overview
    assert "Resend all" not in html
    assert "Finished, 1 of 1 with a problem" in html
    assert '<span class="badge waiting">201</span>' in html
    assert "Delivered, with a problem" in html
    assert len(client.get(link.replace("&amp;", "&")).context["cl"].result_list) == 1

    [delivery] = run.deliveries.all()
    page = client.get(reverse("admin:logs_delivery_change", args=[delivery.pk]))
    html = page.content.decode()
    assert (
        "Delivered, with a problem" in html and ">Return value missing</span>" in html
    )

    data = client.get(f"/api/v1/runs/{run.pk}/").json()
    assert (data["counts"]["delivered"], data["counts"]["problems"]) == (1, 1)
    data = client.get(f"/api/v1/deliveries/{delivery.pk}/").json()
    assert (data["state"], data["last_error"]) == ("delivered", "value")
    assert ACCEPTED in data["attempt_log"][0]["explanation"]
    listed = client.get("/api/v1/deliveries/?error=value").json()
    assert [each["id"] for each in listed["results"]] == [delivery.pk]
