"""User macros: from testers to requests, and from responses back to the testers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from centerhook.receiver import Receiver
from feedback.models import FeedbackType
from feedback.models import Tester as Person
from logs.models import Attempt, Cause, Delivery, Resend, Run, delivery_id
from macros import deliveries
from macros.models import Macro
from macros.runs import RunRefused, macros_for, start_run, subjects_of
from macros.runs.control import cancel_run
from macros.runs.resend import preview_resend, resend
from macros.steps.previews import preview
from macros.steps.rendering import Plan, context_for
from tests import factories

pytestmark = pytest.mark.django_db

VALID = {
    "name": "address_valid",
    "source": "json",
    "expression": "$.validation_results.is_valid",
    "type": "boolean",
}
ADDRESS = """{
  "id": ((Tester ID)), "name": "((Name))", "mail": "((Email))", "points": ((Score)),
  "city": "((City))", "project": "((Project))", "community": "((Community))",
  "page": "((Tester URL))", "delivery": "((Delivery ID))",
  "before": "((External: address_valid|default:none))"
}"""
GONE = "The tester was deleted or erased before the request was built."


@pytest.fixture
def olivia() -> User:
    return factories.superuser()


@pytest.fixture
def bugs() -> FeedbackType:
    return factories.feedback_type()


def people(of: FeedbackType, count: int) -> list[Person]:
    made = [factories.tester(of, f"t{number}@example.com") for number in range(count)]
    Person.objects.update(city="Zürich", score=7)
    return made


def deliver(run: Run) -> Run:
    deliveries.work(run.pk)
    run.refresh_from_db()
    return run


def states(run: Run) -> list[str]:
    rows = run.deliveries.order_by("tester", "step")
    return list(rows.values_list("state", flat=True))


def test_every_tester_of_the_community_becomes_one_request(
    bugs: FeedbackType, receiver: Receiver, settings: Any
) -> None:
    people(bugs, 2)
    factories.tester(factories.feedback_type(), "far@example.com")
    owner = bugs.project.community
    macro = factories.macro(owner, f"{receiver.url}/ok", body=ADDRESS)

    run = deliver(factories.run(macro))

    assert (run.state, run.total, run.delivered, run.project) == (
        "finished",
        2,
        2,
        None,
    )
    sent = {request.json()["mail"]: request.json() for request in receiver.requests}
    assert set(sent) == {"t0@example.com", "t1@example.com"}
    delivery = run.deliveries.select_related("tester").get(
        subject_label="t1@example.com"
    )
    assert delivery.feedback is None and delivery.tester is not None
    assert sent["t1@example.com"] == {
        "id": delivery.tester.pk,
        "name": "Tara Tester",
        "mail": "t1@example.com",
        "points": 7,
        "city": "Zürich",
        "project": "",
        "community": owner.name,
        "page": f"{settings.BASE_URL}/admin/feedback/tester/{delivery.tester.pk}"
        "/change/",
        "delivery": delivery_id(run.key, delivery.pk),
        "before": "none",
    }


def test_a_projects_macro_runs_on_those_who_submitted_in_it(
    bugs: FeedbackType, receiver: Receiver
) -> None:
    ada, grace, _ = people(bugs, 3)
    ideas = FeedbackType.objects.create(project=bugs.project, name="Idea", prefix="I")
    for of, who in ((bugs, ada), (ideas, ada), (ideas, grace)):
        factories.ticket(of, submitter=who)
    macro = factories.macro(bugs.project, f"{receiver.url}/ok", body=ADDRESS)

    run = start_run(macro, Person.objects.all(), cause=Cause.ACTION)

    assert deliver(run).delivered == 2
    assert run.project == bugs.project
    rows = sorted(
        (each.json()["mail"], each.json()["project"]) for each in receiver.requests
    )
    assert rows == [("t0@example.com", "Phone Beta"), ("t1@example.com", "Phone Beta")]


def test_a_selection_without_anybody_of_the_project_starts_nothing(
    bugs: FeedbackType,
) -> None:
    people(bugs, 1)
    macro = factories.macro(bugs.project, "https://a.example/")
    with pytest.raises(RunRefused, match="No tester of Phone Beta is selected"):
        start_run(macro, Person.objects.all(), cause=Cause.ACTION)
    assert not Run.objects.exists()


def test_a_response_is_kept_on_the_tester_with_where_it_came_from(
    bugs: FeedbackType, receiver: Receiver
) -> None:
    [ada] = people(bugs, 1)
    ticket = factories.ticket(bugs, submitter=ada)
    Person.objects.update(external_data={"crm": "A-1"})
    url = f"{receiver.url}/shippo/addresses/"
    owner = bugs.project.community
    macro = factories.macro(owner, url, body=ADDRESS, return_values=[VALID])

    run = deliver(factories.run(macro))

    attempt = Attempt.objects.get()
    ada.refresh_from_db()
    valid = ada.external_data["address_valid"]
    assert ada.external_data == {"crm": "A-1", "address_valid": valid}
    assert isinstance(valid, bool)
    answered = attempt.started_at + timedelta(milliseconds=attempt.total_ms or 0)
    assert ada.external_provenance == {
        "address_valid": {
            "run": run.pk,
            "delivery": attempt.delivery_id,
            "attempt": 1,
            "at": answered.isoformat(),
            "source": "body $.validation_results.is_valid",
        }
    }
    assert ada.score == 7
    ticket.refresh_from_db()
    assert ticket.external_data == {}, "a ticket of the same number is not meant"


def test_a_later_step_sees_what_an_earlier_one_kept(
    bugs: FeedbackType, receiver: Receiver
) -> None:
    people(bugs, 2)
    urls = [f"{receiver.url}/shippo/addresses/", f"{receiver.url}/ok"]
    macro = factories.macro(
        bugs.project.community, *urls, body=ADDRESS, return_values=[VALID]
    )
    run = deliver(factories.run(macro))
    assert (run.total, run.delivered) == (4, 4)
    last = [each.json()["before"] for each in receiver.requests if each.target == "/ok"]
    assert sorted(last) == sorted(
        str(each.external_data["address_valid"]).lower()
        for each in Person.objects.all()
    )


def test_a_failing_step_ends_that_testers_later_ones_only(
    bugs: FeedbackType, receiver: Receiver
) -> None:
    ada, _ = people(bugs, 2)
    Person.objects.filter(pk=ada.pk).update(city="404")
    Person.objects.exclude(pk=ada.pk).update(city="200")
    urls = [f"{receiver.url}/status/((City))", f"{receiver.url}/ok"]
    run = deliver(factories.run(factories.macro(bugs.project.community, *urls)))
    assert states(run) == ["failed", "skipped", "delivered", "delivered"]
    assert (run.failed, run.skipped, run.delivered) == (1, 1, 2)


@pytest.mark.parametrize("how", ["deleted", "erased"])
def test_who_is_gone_by_then_is_not_sent(
    bugs: FeedbackType, receiver: Receiver, how: str
) -> None:
    ada, _ = people(bugs, 2)
    run = factories.run(factories.macro(bugs.project.community, f"{receiver.url}/ok"))
    if how == "deleted":
        ada.delete()
    else:
        Person.objects.filter(pk=ada.pk).update(erased_at=timezone.now())
    deliver(run)
    assert (run.delivered, run.failed) == (1, 1)
    attempt = Attempt.objects.get(error_class="render")
    assert attempt.message == GONE and len(receiver.requests) == 1


def test_who_was_erased_is_no_subject(bugs: FeedbackType) -> None:
    ada, grace = people(bugs, 2)
    factories.ticket(bugs, submitter=ada)
    Person.objects.filter(pk=ada.pk).update(erased_at=timezone.now())
    whole = factories.macro(bugs.project.community, "https://a.example/")
    own = factories.macro(bugs.project, "https://a.example/")
    assert list(subjects_of(whole)) == [grace] and list(subjects_of(own)) == []
    ada.refresh_from_db()
    assert list(macros_for(ada, Macro.objects.all())) == []


def test_the_macros_that_fit_a_tester(bugs: FeedbackType) -> None:
    [ada] = people(bugs, 1)
    other = factories.feedback_type()
    other.project.community, other.project.name = bugs.project.community, "Next"
    other.project.save()
    whole = factories.macro(bugs.project.community, name="a")
    own = factories.macro(bugs.project, name="b")
    for owner in (other.project, factories.feedback_type().project.community, bugs):
        factories.macro(owner)
    assert list(macros_for(ada, Macro.objects.all())) == [whole]
    factories.ticket(bugs, submitter=ada)
    assert list(macros_for(ada, Macro.objects.all())) == [whole, own]


def test_testers_are_loaded_with_the_columns_that_are_read(
    bugs: FeedbackType, django_assert_num_queries: Any
) -> None:
    people(bugs, 3)
    macro = factories.macro(bugs.project, "https://a.example/", body=ADDRESS)
    plan = Plan.from_snapshot(macro.snapshot())
    pks = list(Person.objects.values_list("pk", flat=True))
    run = Run(key="k", macro_name="m", project=bugs.project)
    with django_assert_num_queries(1):
        loaded = plan.load_subjects(pks)
        for each in loaded.values():
            plan.steps[0].render(context_for(each, run, 1, timezone.now()))
    assert len(loaded) == 3
    assert "street1" in next(iter(loaded.values())).get_deferred_fields()


def test_a_run_says_what_it_runs_on_whatever_becomes_of_the_macro(
    bugs: FeedbackType, receiver: Receiver
) -> None:
    people(bugs, 1)
    run = factories.run(factories.macro(bugs.project.community, f"{receiver.url}/ok"))
    Macro.objects.all().delete()
    run.refresh_from_db()
    assert (run.subject_kind, run.macro) == ("tester", None)
    assert deliver(run).delivered == 1


def test_a_testers_failed_steps_are_resent_in_order(
    olivia: User, bugs: FeedbackType, receiver: Receiver
) -> None:
    people(bugs, 2)
    Person.objects.update(city="404")
    urls = [f"{receiver.url}/status/((City))", *[f"{receiver.url}/ok"] * 2]
    run = deliver(factories.run(factories.macro(bugs.project.community, *urls)))
    assert states(run) == ["failed", "skipped", "skipped"] * 2
    Person.objects.update(city="200")
    # Tickets and their runs are beside them on the log.
    factories.ticket(bugs)
    other = deliver(factories.run(factories.macro(bugs, f"{receiver.url}/status/404")))

    outcome = resend(Delivery.objects.filter(state="failed"), Resend.ANEW, olivia)

    assert outcome.runs == {run.pk: 6, other.pk: 1}
    assert states(run) == ["pending", "waiting", "waiting"] * 2
    run = deliver(run)
    assert (run.delivered, run.skipped, run.state) == (6, 0, "finished")


def test_what_was_cancelled_follows_the_first_step(
    olivia: User, bugs: FeedbackType, receiver: Receiver
) -> None:
    people(bugs, 1)
    urls = [f"{receiver.url}/ok"] * 2
    run = factories.run(factories.macro(bugs.project.community, *urls))
    cancel_run(run)
    blocked = preview_resend(Delivery.objects.all(), Resend.ANEW, olivia)
    assert (blocked.count, len(blocked.blockers)) == (1, 1)
    assert resend(Delivery.objects.all(), Resend.ANEW, olivia).runs == {run.pk: 2}
    assert deliver(run).delivered == 2
    assert resend(Delivery.objects.all(), Resend.SAME, olivia).runs == {run.pk: 2}
    assert states(run) == ["pending", "waiting"]
    assert deliver(run).delivered == 2 and len(receiver.requests) == 4


@pytest.mark.parametrize("how", ["deleted", "erased"])
def test_who_is_gone_is_not_resent(
    olivia: User, bugs: FeedbackType, receiver: Receiver, how: str
) -> None:
    [ada] = people(bugs, 1)
    run = deliver(
        factories.run(factories.macro(bugs.project.community, f"{receiver.url}/ok"))
    )
    if how == "deleted":
        ada.delete()
    else:
        Person.objects.update(erased_at=timezone.now())
    for kind in Resend:
        blocked = preview_resend(run.deliveries.all(), kind, olivia)
        assert blocked.blockers == {"the tester was deleted or erased": 1}
        assert resend(run.deliveries.all(), kind, olivia).count == 0


def test_other_steps_are_tried_and_done_on_testers_too(
    bugs: FeedbackType, receiver: Receiver, mailoutbox: list[Any]
) -> None:
    people(bugs, 2)
    mail = {"to": "((Email))", "subject": "Thanks ((First Name))", "body": "((Score))"}
    macro = factories.macro(bugs.project.community, f"{receiver.url}/ok")
    factories.steps(
        macro,
        {"kind": "add_score", "points": 5},
        {"kind": "send_email", **mail},
    )

    shown = preview(macro, subjects_of(macro))

    assert [(each.name, each.problem) for each in shown.dry_run] == [
        ("t0@example.com", ""),
        ("t1@example.com", ""),
    ]
    host = receiver.url.removeprefix("http://")
    assert shown.dry_run[0].lines == [
        f"POST to {host}",
        "Score 7 → 12",
        "E-mail to t0@example.com",
    ]
    assert set(Person.objects.values_list("score", flat=True)) == {7}
    run = deliver(factories.run(macro))
    assert (run.total, run.delivered) == (6, 6)
    assert set(Person.objects.values_list("score", flat=True)) == {12}
    sent = sorted((each.to[0], each.subject, each.body) for each in mailoutbox)
    assert sent == [
        (f"t{number}@example.com", "Thanks Tara", "12") for number in range(2)
    ]
