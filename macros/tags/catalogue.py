"""Every tag there is: palette, preview, validation, documentation and tests read it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import attrgetter

from .names import normalise
from .scope import Context, Scope

Resolve = Callable[[Context], object]

TYPES = ("text", "number", "boolean", "date", "list")


@dataclass(frozen=True, slots=True)
class Tag:
    """`name` is the canonical label; `type` is one of TYPES."""

    name: str
    group: str
    meaning: str
    sample: str
    type: str
    resolve: Resolve
    secret: bool = False
    # The ticket's columns that it reads, as a Django query names them. One that is
    # left out is fetched ticket by ticket.
    reads: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"(({self.name}))"


@dataclass(frozen=True, slots=True)
class Family:
    """Tags that share a namespace: `((Field: Severity))` is one of Field."""

    name: str
    group: str
    meaning: str
    sample: str
    type: str
    # None when the scope has no such name.
    find: Callable[[str, Scope], Tag | None]


def _submitter(name: str) -> Resolve:
    read = attrgetter(name)

    def resolve(context: Context) -> object:
        submitter = context.ticket.submitter
        return None if submitter is None else read(submitter)

    return resolve


def _status(context: Context) -> object:
    status = context.ticket.status
    return None if status is None else status.name


def _profile(label: str, meaning: str, sample: str, attribute: str) -> Tag:
    name = f"Submitter {label}"
    columns = ("first_name", "last_name") if attribute == "name" else (attribute,)
    reads = tuple(f"submitter__{column}" for column in columns)
    resolve = _submitter(attribute)
    return Tag(name, "Submitter", meaning, sample, "text", resolve, reads=reads)


_TICKET = [
    Tag(
        "Title",
        "Ticket",
        "The ticket's title",
        "Login button does nothing",
        "text",
        attrgetter("ticket.title"),
        reads=("title",),
    ),
    Tag(
        "Description",
        "Ticket",
        "The ticket's description, line breaks included",
        "I tap Log in and nothing happens.",
        "text",
        attrgetter("ticket.description"),
        reads=("description",),
    ),
    Tag(
        "Status",
        "Ticket",
        "The name of the ticket's status",
        "Open",
        "text",
        _status,
        reads=("status__name",),
    ),
    Tag(
        "Reference",
        "Ticket",
        "The type's prefix and the ticket's number",
        "BUG-12",
        "text",
        attrgetter("ticket.reference"),
        reads=("reference",),
    ),
    Tag(
        "Number",
        "Ticket",
        "The ticket's number in its feedback type",
        "12",
        "number",
        attrgetter("ticket.number"),
        reads=("number",),
    ),
    Tag(
        "Ticket ID",
        "Ticket",
        "The number CenterHook knows the ticket by everywhere",
        "3401",
        "number",
        attrgetter("ticket.pk"),
    ),
    Tag(
        "Ticket URL",
        "Ticket",
        "The address of the ticket's page in CenterHook",
        "https://centerhook.example.com/admin/feedback/feedback/3401/change/",
        "text",
        attrgetter("ticket_url"),
    ),
    Tag(
        "Visibility",
        "Ticket",
        "Who may see the ticket: public or private",
        "public",
        "text",
        lambda context: str(context.ticket.visibility),
        reads=("visibility",),
    ),
    Tag(
        "Created",
        "Ticket",
        "When the ticket was submitted",
        "2026-03-14T09:26:53+00:00",
        "date",
        attrgetter("ticket.created_at"),
        reads=("created_at",),
    ),
    Tag(
        "Modified",
        "Ticket",
        "When the ticket was last changed",
        "2026-03-15T10:00:00+00:00",
        "date",
        attrgetter("ticket.modified_at"),
        reads=("modified_at",),
    ),
]

_PLACE = [
    Tag(
        "Feedback Type",
        "Project",
        "The name of the ticket's feedback type",
        "Bug Report",
        "text",
        attrgetter("ticket.feedback_type.name"),
        reads=("feedback_type__name",),
    ),
    Tag(
        "Project",
        "Project",
        "The name of the ticket's project",
        "Spring Beta",
        "text",
        attrgetter("ticket.feedback_type.project.name"),
        reads=("feedback_type__project__name",),
    ),
    Tag(
        "Community",
        "Project",
        "The name of the project's community",
        "Acme Testers",
        "text",
        attrgetter("ticket.feedback_type.project.community.name"),
        reads=("feedback_type__project__community__name",),
    ),
]

_SUBMITTER = [
    _profile("Name", "First and last name", "Ada Lovelace", "name"),
    _profile("First Name", "First name", "Ada", "first_name"),
    _profile("Last Name", "Last name", "Lovelace", "last_name"),
    _profile("Email", "E-mail address", "ada@example.com", "email"),
    _profile("Phone", "Telephone number", "+44 20 7946 0958", "phone"),
    _profile("Company", "Company", "Analytical Engines Ltd", "company"),
    _profile("Street", "First line of the address", "12 St James's Square", "street1"),
    _profile("Street 2", "Second line of the address", "Flat 3", "street2"),
    _profile("City", "City", "London", "city"),
    _profile("Region", "State, county or region", "Greater London", "region"),
    _profile("Postal Code", "Postal code", "SW1Y 4JH", "postal_code"),
    _profile("Country", "Country", "GB", "country"),
]

_RUN = [
    Tag(
        "Now",
        "Run",
        "When the request is built",
        "2026-03-16T08:00:00+00:00",
        "date",
        attrgetter("now"),
    ),
    Tag(
        "Macro", "Run", "The macro's name", "Send to Jira", "text", attrgetter("macro")
    ),
    Tag("Run ID", "Run", "The run's id", "871", "text", attrgetter("run_id")),
    Tag(
        "Delivery ID",
        "Run",
        "The delivery's id, the same on every try",
        "msg_2Lh9KRb0pzN4LePd3XiA4v12Axj",
        "text",
        attrgetter("delivery_id"),
    ),
]

CATALOGUE: Mapping[str, Tag] = {
    normalise(tag.name): tag for tag in [*_TICKET, *_PLACE, *_SUBMITTER, *_RUN]
}
