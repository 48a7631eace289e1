"""Rows for tests, made through the same doors as real ones."""

from __future__ import annotations

import itertools
from collections import Counter
from datetime import time
from functools import cache
from typing import Any

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from feedback.access.roles import Role
from feedback.attachments.adding import add, check
from feedback.models import (
    ApiKey,
    Comment,
    Community,
    DataPackage,
    ExternalSource,
    Feedback,
    FeedbackType,
    FieldKind,
    Filter,
    FormField,
    ImportPart,
    KeyOutcome,
    KeyUse,
    LookupMiss,
    Member,
    Project,
    RecordLookup,
    Snapshot,
    SourceTicket,
    Status,
    StoredResponse,
    Tester,
    TicketImport,
)
from feedback.models.types import key_from_label
from logs import recording
from logs.figures import keeping
from logs.models import (
    Attempt,
    Cause,
    Delivery,
    DeliveryState,
    RetentionPolicy,
    Run,
    RunChange,
    RunPayload,
)
from logs.recording import counts
from macros.config import note_version
from macros.models import (
    DecisionOutcome,
    Event,
    InboundCall,
    InboundEvent,
    InboundOutcome,
    InboundRefusal,
    Listener,
    ListenerAction,
    ListenerCheck,
    ListenerKey,
    Macro,
    Occurrence,
    OccurrenceOutcome,
    Refusal,
    Schedule,
    Scheme,
    Secret,
    Trigger,
    TriggerDecision,
    step_kinds,
)
from macros.models.listeners import new_key
from macros.runs import start_run, subjects_of
from macros.steps.kinds.web_request import WebRequest

# One of every kind.
QUESTIONS = [
    ("Severity", FieldKind.CHOICE, "Minor\nMajor\nCritical"),
    ("Platform", FieldKind.MULTIPLE_CHOICE, "Android\niOS\nGrün"),
    ("Reproducible", FieldKind.CHECKBOX, ""),
    ("Impact", FieldKind.NUMBER, ""),
    ("Found on", FieldKind.DATE, ""),
    ("Page", FieldKind.URL, ""),
    ("App version", FieldKind.TEXT, ""),
    ("Steps", FieldKind.LONG_TEXT, ""),
]
_numbers = itertools.count(1)
# One pixel.
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360000002000001e221bc33000000"
    "0049454e44ae426082"
)


def superuser(name: str = "olivia") -> User:
    made = User(username=name, email=f"{name}@example.com", password=_password())
    made.is_staff = made.is_superuser = True
    made.save()
    return made


@cache
def _password() -> str:
    """Hashed once a process: it takes as long as many a whole test."""
    return make_password("secret-word")


def member(
    of: FeedbackType, role: str, name: str = "", *, in_project: bool = False
) -> User:
    """A person with a role in the type's community, or in its project only."""
    name = name or f"person{next(_numbers)}"
    user, _ = User.objects.get_or_create(
        username=name,
        defaults={
            "email": f"{name}@example.com",
            "password": _password(),
            "is_staff": True,
        },
    )
    project = of.project
    made, _ = Member.objects.get_or_create(community=project.community, user=user)
    made.grants.create(role=role, project=project if in_project else None)
    return user


def feedback_type(name: str = "Bug Report", prefix: str = "BUG") -> FeedbackType:
    """A type in an unlocked community of its own, with a field of every kind."""
    community = Community.objects.create(name=f"Community {next(_numbers)}")
    api_key(community)
    project = Project.objects.create(community=community, name="Phone Beta")
    made = FeedbackType.objects.create(project=project, name=name, prefix=prefix)
    Status.objects.bulk_create(
        Status(feedback_type=made, name=name, position=position, is_open=is_open)
        for name, position, is_open in [("New", 1, True), ("Closed", 2, False)]
    )
    FormField.objects.bulk_create(
        FormField(
            feedback_type=made,
            label=label,
            key=key_from_label(label),
            kind=kind,
            choices=choices,
            position=position,
            in_list=label == "Severity",
        )
        for position, (label, kind, choices) in enumerate(QUESTIONS)
    )
    return made


def api_key(community: Community, **values: Any) -> tuple[ApiKey, str]:
    """A key with its token."""
    values.setdefault("name", f"Key {next(_numbers)}")
    key = ApiKey(community=community, **values)
    token = key.issue_token()
    key.full_clean(exclude=["token_hash", "prefix"])
    key.save()
    return key, token


def tester(of: FeedbackType, email: str = "") -> Tester:
    return Tester.objects.create(
        community=of.project.community,
        email=email or f"tester{next(_numbers)}@example.com",
        first_name="Tara",
        last_name="Tester",
    )


def tickets(of: FeedbackType, count: int = 1, **values: Any) -> list[Feedback]:
    values.setdefault("title", "It breaks")
    return Feedback.objects.submit_many(of, [Feedback(**values) for _ in range(count)])


def ticket(of: FeedbackType, **values: Any) -> Feedback:
    return tickets(of, 1, **values)[0]


def upload(name: str, content: bytes = PNG, kind: str = "") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, kind or "application/octet-stream")


def attachment(of: Feedback, name: str = "screen.png", content: bytes = PNG) -> Any:
    return add(of, check([upload(name, content)], of), by="olivia")[0]


def ticket_import(of: FeedbackType, title: str = "It breaks") -> TicketImport:
    made = TicketImport.objects.create(
        feedback_type=of, by="olivia", file_name=f"{title}.csv", header=["title"]
    )
    TicketImport.objects.filter(pk=made.pk).update(state="checked", rows=1, created=1)
    rows = [[2, [title]]]
    ImportPart.objects.create(ticket_import=made, start=0, rows=rows, is_done=True)
    return made


def secret(
    of: FeedbackType,
    name: str,
    value: str = "hunter2-hunter2",
    *,
    hosts: str = "",
    own: bool = False,
) -> Secret:
    """A secret of the type's community, or its project's own."""
    project = of.project
    made = Secret(community=project.community, name=name, hosts=hosts)
    made.project = project if own else None
    made.conceal(value)
    made.full_clean()
    made.save()
    return made


def macro(
    of: FeedbackType | Project | Community,
    *urls: str,
    name: str = "",
    ladder: str = "",
    **request: Any,
) -> Macro:
    """A macro with a web request to each URL; no retries unless a ladder is given.

    Of a project or a community it is a user macro.
    """
    made = Macro.at(of, name=name or f"Macro {next(_numbers)}", retry_ladder=ladder)
    made.save()
    tag = "Title" if isinstance(of, FeedbackType) else "Name"
    for position, url in enumerate(urls):
        step = WebRequest(macro=made, position=position, url=url)
        step.body = f'{{"text": "(({tag}))"}}'
        for field, value in request.items():
            setattr(step, field, value)
        step.full_clean(exclude=["step_ptr"])
        step.save()
    note_version(made)
    return made


def steps(of: Macro, *settings: dict[str, Any]) -> Macro:
    """Add steps of any kind, each given by its snapshot."""
    for each in settings:
        kind, last = each["kind"], of.steps.count()
        rest = {name: value for name, value in each.items() if name != "kind"}
        step = step_kinds()[kind].restore(of, rest)
        step.position = last
        step.save()
    note_version(of)
    return of


def package(
    of: FeedbackType | Project | Community, *columns: str, **values: Any
) -> DataPackage:
    """A table of tickets, with these columns or some that every ticket has."""
    owners = {FeedbackType: "feedback_type", Project: "project"}
    number = next(_numbers)
    given = {"name": f"Package {number}", "key": f"package-{number}", **values}
    made = DataPackage(**{owners.get(type(of), "community"): of, **given})
    made.columns = list(columns or ("id", "created"))
    made.full_clean()
    made.save()
    return made


def lookup(
    of: FeedbackType | Project | Community, *columns: str, **values: Any
) -> RecordLookup:
    """Finds a ticket by its reference, and gives these columns or some of all."""
    owners = {FeedbackType: "feedback_type", Project: "project"}
    number = next(_numbers)
    given = {
        "name": f"Lookup {number}",
        "key": f"lookup-{number}",
        "subject_kind": "feedback",
        "found_by": "reference",
        **values,
    }
    made = RecordLookup(**{owners.get(type(of), "community"): of, **given})
    made.columns = list(columns or ("id", "created"))
    made.full_clean()
    made.save()
    return made


def saved_filter(
    of: FeedbackType | Project | Community,
    *conditions: dict[str, Any],
    name: str = "",
    match: str = "all",
    **values: Any,
) -> Filter:
    """Selects tickets of a type, or testers of a project or community."""
    owners = {FeedbackType: "feedback_type", Project: "project"}
    kind = "feedback" if isinstance(of, FeedbackType) else "tester"
    made = Filter(
        **{owners.get(type(of), "community"): of, "subject_kind": kind, **values},
        name=name or f"Filter {next(_numbers)}",
        conditions={"match": match, "conditions": list(conditions)},
    )
    made.save()
    return made


def trigger(of: Macro, event: str = Event.SUBMITTED, **values: Any) -> Trigger:
    values.setdefault("name", f"Trigger {next(_numbers)}")
    return Trigger.objects.create(macro=of, event=event, **values)


def schedule(of: Macro, **values: Any) -> Schedule:
    """Daily at noon, from now on."""
    values.setdefault("name", f"Schedule {next(_numbers)}")
    values.setdefault("start_at", timezone.now())
    values.setdefault("at", time(12))
    return Schedule.objects.create(macro=of, **values)


def listener(
    of: FeedbackType | Project | Community,
    *actions: dict[str, Any],
    secret: str = "",
    scheme: str = Scheme.STANDARD,
    **values: Any,
) -> Listener:
    """Finds tickets of a type or project, or testers of a community.

    With the name of a secret it has a check by the scheme; each action is given by its
    columns.
    """
    owners = {FeedbackType: "feedback_type", Project: "project"}
    kind = "tester" if isinstance(of, Community) else "feedback"
    made = Listener(
        **{owners.get(type(of), "community"): of, "subject_kind": kind, **values}
    )
    made.name = made.name or f"Listener {next(_numbers)}"
    made.save()
    ListenerKey.objects.create(listener=made, key=new_key())
    if secret:
        signed_with = Secret.objects.get(name=secret, community=made.community)
        ListenerCheck.objects.create(listener=made, scheme=scheme, secret=signed_with)
    for position, action in enumerate(actions):
        ListenerAction.objects.create(listener=made, position=position, **action)
    return made


def inbound_call(of: Listener, body: bytes = b"{}", **values: Any) -> InboundCall:
    values = {
        "method": "POST",
        "content_type": "application/json",
        "received_at": timezone.now(),
        **values,
    }
    return InboundCall.objects.create(listener=of, body=body, **values)


def inbound_event(of: InboundCall, outcome: str, **values: Any) -> InboundEvent:
    """The call is done with it."""
    InboundCall.objects.filter(pk=of.pk).update(state="done")
    values = {"created_at": timezone.now(), **values}
    return InboundEvent.objects.create(
        call=of, listener=of.listener, outcome=outcome, **values
    )


def source(of: FeedbackType, **values: Any) -> ExternalSource:
    values.setdefault("name", f"Source {next(_numbers)}")
    return ExternalSource.objects.create(feedback_type=of, **values)


ONE_OF_EACH_CHANGE: list[dict[str, Any]] = [
    {"kind": "change_status", "status": "Closed"},
    {"kind": "set_field", "field": "severity", "value": "Minor"},
    {"kind": "add_comment", "text": "Sent by ((Macro))"},
    {"kind": "set_visibility", "visibility": "private"},
    {"kind": "add_score", "points": 5},
]
AN_EMAIL: dict[str, Any] = {
    "kind": "send_email",
    "to": "((Submitter Email))",
    "subject": "((Reference)) is closed",
    "body": "Dear ((Submitter First Name)),\nthank you.",
}


def run(of: Macro, **options: Any) -> Run:
    """A run of the macro on all that it may be run on."""
    return start_run(of, subjects_of(of), cause=Cause.ACTION, **options)


def one_of_everything(of: FeedbackType, name: str = "Everything") -> None:
    """A row of every model of ours, each that has a name with the given one."""
    submitter = tester(of)
    submitter.first_name = name
    submitter.save()
    reported = ticket(of, title=name, submitter=submitter)
    comment = Comment.objects.create(feedback=reported, text="Before")
    comment.text = name
    comment.save()
    attachment(reported, f"{name}.png")
    ticket_import(of, name)
    Snapshot.objects.create(package=package(of, name=name, key=f"everything-{of.pk}"))
    lookup(of, name=name)
    LookupMiss.objects.note(of.project.community, "key 1", timezone.now())
    key = of.project.community.api_keys.get()
    key.name = name
    key.save()
    KeyUse.objects.note(key, "203.0.113.7", KeyOutcome.ACCEPTED, timezone.now())
    secret(of, name)
    member(of, Role.OBSERVER, name)
    made = macro(of, "https://example.com/", name=name)
    delivery = run(made).deliveries.get()
    steps(made, *ONE_OF_EACH_CHANGE, AN_EMAIL)
    _automations(made, reported, name)
    _from_outside(made, reported, name)
    Delivery.objects.filter(pk=delivery.pk).update(lease="mine")
    attempt = Attempt(delivery=delivery, number=1, started_at=timezone.now())
    attempt.method, attempt.url = "POST", "https://example.com/"
    origin = "https://example.com:443"
    outcome = recording.Outcome(
        delivery, DeliveryState.PENDING, attempt, retry_in=0, origin=origin
    )
    recording.record(delivery.run, "mine", [outcome], timezone.now())
    counts.count(delivery.run, {0: Counter(skipped=1)}, timezone.now())
    RetentionPolicy.objects.get_or_create(community=of.project.community)
    keeping.count_tickets(timezone.now())


def _automations(of: Macro, reported: Feedback, name: str) -> None:
    assert of.feedback_type is not None
    chosen = saved_filter(of.feedback_type, name=name)
    now = timezone.now()
    started = trigger(of, name=name, filter=chosen, is_active=False)
    TriggerDecision.objects.create(
        trigger=started,
        feedback=reported,
        outcome=DecisionOutcome.NO_MATCH,
        created_at=now,
    )
    RunChange.objects.create(
        run=of.runs.get(), feedback=reported, before={"title": name}, by=name
    )
    planned = schedule(of, name=name, filter=chosen, is_active=False)
    Occurrence.objects.create(
        schedule=planned,
        scheduled_for=now,
        started_at=now,
        outcome=OccurrenceOutcome.NOTHING,
    )


def _from_outside(of: Macro, reported: Feedback, name: str) -> None:
    assert of.feedback_type is not None
    heard = listener(of.feedback_type, {"kind": "run", "macro": of}, name=name)
    ListenerCheck.objects.create(listener=heard, scheme=Scheme.API_KEY)
    call, now = inbound_call(heard), timezone.now()
    InboundEvent.objects.create(
        call=call,
        listener=heard,
        outcome=InboundOutcome.NO_RECORD,
        detail=name,
        created_at=now,
    )
    InboundRefusal.objects.create(
        listener=heard,
        address="203.0.113.7",
        reason=Refusal.BAD_SIGNATURE,
        hour=now.replace(minute=0, second=0, microsecond=0),
        first_at=now,
        last_at=now,
    )
    RunPayload.objects.create(run=of.runs.get(), text=name)
    own = source(of.feedback_type, name=name)
    SourceTicket.objects.create(source=own, feedback=reported)
    StoredResponse.objects.create(
        community=own.feedback_type.project.community,
        idempotency_key=f"{name}{own.pk}"[:32],
        status=200,
        body=f'{{"detail": "{name}"}}',
    )
