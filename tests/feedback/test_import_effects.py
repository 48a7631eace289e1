"""What an import does beside its tickets: triggers it starts, testers it makes."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from feedback.access.roles import Role
from feedback.models import Feedback, FeedbackType, ImportState, Tester, TicketImport
from feedback.transfer import imports, intake, uploads
from logs.models import AuditEntry, Run
from logs.privacy import erase_tester
from macros.models import Event, Macro, Trigger, TriggerDecision
from tests import factories
from tests.feedback.test_imports import bugs, checked, counts

__all__ = ["bugs"]

HEAD = "reference,title,status,submitter\n"


@pytest.fixture
def macro(bugs: FeedbackType) -> Macro:
    return factories.macro(bugs, "https://a.example/", name="Post")


def with_testers(of: FeedbackType, data: str) -> TicketImport:
    user = User.objects.filter(is_superuser=True).first() or factories.superuser()
    file = BytesIO(data.encode())
    made = uploads.begin(of, file, "a.csv", user, makes_testers=True)
    made.refresh_from_db()
    return made


def run(made: TicketImport) -> None:
    assert imports.start(made)
    imports.finish(made)


def forecast(made: TicketImport) -> dict[str, int]:
    names = {str(each.pk): each.name for each in Trigger.objects.all()}
    return {names[key]: rows for key, rows in made.forecast.items()}


def started() -> dict[str, int]:
    """On how many tickets each trigger did start."""
    runs = Run.objects.exclude(trigger=None)
    return {each.trigger.name: each.deliveries.count() for each in runs}


def only_closed(macro: Macro) -> None:
    closed = macro.feedback_type.statuses.get(name="Closed")
    details = {"to_status": closed.pk}
    factories.trigger(macro, Event.STATUS_CHANGED, name="Shut", event_details=details)


def with_filter(macro: Macro) -> None:
    conditions = {
        "conditions": [{"field": "title", "qualifier": "contains", "value": "crash"}]
    }
    chosen = factories.saved_filter(macro.feedback_type, conditions)
    factories.trigger(macro, name="Crashes", filter=chosen)


def once(macro: Macro) -> None:
    factories.trigger(macro, Event.MODIFIED, name="Once", once_per_subject=True)


def switched_off(macro: Macro) -> None:
    factories.trigger(macro, name="Off", is_active=False)


def paused(macro: Macro) -> None:
    factories.trigger(macro, name="Paused")
    Macro.objects.filter(pk=macro.pk).update(
        paused_at=timezone.now(), paused_reason="It fails."
    )


def several(macro: Macro) -> None:
    only_closed(macro)
    with_filter(macro)
    factories.trigger(macro, name="New ones")


@pytest.mark.parametrize(
    ("arrange", "expected"),
    [
        (only_closed, {"Shut": 1}),
        (with_filter, {"Crashes": 2}),
        (once, {"Once": 2}),
        (switched_off, {}),
        (paused, {}),
        (several, {"Shut": 1, "Crashes": 2, "New ones": 3}),
    ],
)
def test_the_preview_says_what_starts_and_nothing_is_written(
    bugs: FeedbackType,
    macro: Macro,
    arrange: Callable[[Macro], None],
    expected: dict[str, int],
) -> None:
    factories.tickets(bugs, 3)
    arrange(macro)
    rows = [
        "BUG-1,Was,Closed,",
        "BUG-2,Renamed,,",
        "BUG-3,,New,",
        ",A crash,,",
        ",Another crash,Closed,",
        ",No fault,,",
        ",,,",
        ",Refused,No such,",
    ]
    made = checked(bugs, HEAD + "\n".join(rows))
    assert made.state == ImportState.CHECKED and forecast(made) == expected
    assert Feedback.objects.count() == 3 and not Run.objects.exists()
    assert not TriggerDecision.objects.exists()
    run(made)
    assert started() == expected
    assert counts(made) == (3, 2, 1, 1)


def test_the_parts_of_a_long_file_are_counted_together(
    bugs: FeedbackType, macro: Macro, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "PART", 2)
    factories.trigger(macro, name="New ones")
    made = checked(bugs, "title\n" + "x\n" * 5)
    assert forecast(made) == {"New ones": 5}
    run(made)
    numbers = Feedback.objects.order_by("pk").values_list("number", flat=True)
    assert [*numbers] == [1, 2, 3, 4, 5]


def test_the_page_names_the_triggers_and_how_many_rows(
    client: Client, bugs: FeedbackType, macro: Macro
) -> None:
    factories.trigger(macro, name="New ones", limit=1)
    client.force_login(factories.member(bugs, Role.SUPPORT))
    made = checked(bugs, "title\nOne\nTwo\n")
    url = reverse("admin:feedback_feedback_imported", args=[made.pk])
    html = client.get(url).content.decode()
    assert ">New ones</a>, which runs Post, for <strong>2 rows</strong>" in html
    assert "it asks above 1" in html
    run(made)
    assert "would start" not in client.get(url).content.decode()


def test_unknown_submitters_become_testers_where_the_importer_says_so(
    bugs: FeedbackType,
) -> None:
    known = factories.tester(bugs, "tara@example.com")
    factories.ticket(bugs)
    rows = [
        ",One,,Tara@Example.com",
        ",Two,,new@example.com",
        ",Three,,NEW@example.com",
        ",,,lost@example.com",
        ",Four,,no address",
        "BUG-1,,,other@example.com",
    ]
    refused = checked(bugs, HEAD + "\n".join(rows))
    assert counts(refused) == (1, 0, 0, 5) and refused.testers == 0
    made = with_testers(bugs, HEAD + "\n".join(rows))
    assert counts(made) == (3, 1, 0, 2) and made.testers == 2
    assert Tester.objects.count() == 1
    run(made)
    assert counts(made) == (3, 1, 0, 2) and made.testers == 2
    testers = Tester.objects.exclude(pk=known.pk).order_by("email")
    assert [each.email for each in testers] == ["new@example.com", "other@example.com"]
    assert {each.community for each in testers} == {bugs.project.community}
    by = dict(Feedback.objects.values_list("title", "submitter__email"))
    assert by["Two"] == by["Three"] == "new@example.com" and by["One"] == known.email
    entries = AuditEntry.objects.filter(object_type="feedback.tester")
    assert entries.count() == 2


def test_the_preview_counts_an_address_once_however_long_the_file(
    bugs: FeedbackType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "PART", 1)
    rows = "".join(f",T,,{name}@example.com\n" for name in ("a", "b", "A", "b"))
    made = with_testers(bugs, HEAD + rows)
    assert made.testers == 2
    run(made)
    assert made.testers == 2 and Tester.objects.count() == 2


def test_a_trigger_on_new_testers_is_named_too(bugs: FeedbackType) -> None:
    macro = factories.macro(bugs.project.community, "https://a.example/", name="Greet")
    factories.trigger(macro, Event.TESTER_ADDED, name="Newcomers")
    made = with_testers(bugs, HEAD + ",One,,a@example.com\n,Two,,b@example.com\n")
    assert forecast(made) == {"Newcomers": 2} and not Tester.objects.exists()
    run(made)
    assert started() == {"Newcomers": 2}


def test_an_erased_tester_is_not_made_again_by_a_file_that_waits(
    bugs: FeedbackType,
) -> None:
    tara = factories.tester(bugs, "tara@example.com")
    made = with_testers(bugs, HEAD + ",One,,tara@example.com\n")
    erase_tester(tara, None)
    run(made)
    assert [each.erased_at is not None for each in Tester.objects.all()] == [True]


@pytest.mark.parametrize(
    ("role", "may"),
    [
        (Role.SUPPORT, False),
        (Role.PROJECT_MANAGER, False),
        (Role.COMMUNITY_MANAGER, True),
    ],
)
def test_only_those_who_may_add_testers_import_them(
    client: Client, bugs: FeedbackType, role: Role, may: bool
) -> None:
    client.force_login(factories.member(bugs, role))
    url = f"{reverse('admin:feedback_feedback_import')}?type={bugs.pk}"
    html = client.get(url).content.decode()
    assert ("Add unknown submitters" in html) is may
    file = factories.upload("a.csv", (HEAD + ",One,,a@example.com\n").encode())
    client.post(url, {"file": file, "makes_testers": "on"})
    made = TicketImport.objects.get()
    assert (made.makes_testers, made.testers, made.refused) == (
        may,
        int(may),
        int(not may),
    )
