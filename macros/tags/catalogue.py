"""Every tag there is: palette, preview, validation, documentation and tests read it."""

from __future__ import annotations

from collections.abc import Mapping
from operator import attrgetter

from feedback.names import normalise

from .beginnings import BEGINNINGS
from .keys import ticket_key
from .scope import FEEDBACK, TESTER, RenderContext
from .tag import Resolve, Tag


def _submitter(name: str) -> Resolve:
    read = attrgetter(name)

    def resolve(context: RenderContext) -> object:
        submitter = context.subject.submitter
        return None if submitter is None else read(submitter)

    return resolve


def _status(context: RenderContext) -> object:
    status = context.subject.status
    return None if status is None else status.name


_TICKET = [
    Tag(
        "Title",
        "Ticket",
        "The ticket's title",
        "Login button does nothing",
        "text",
        attrgetter("subject.title"),
        reads=("title",),
    ),
    Tag(
        "Description",
        "Ticket",
        "The ticket's description, line breaks included",
        "I tap Log in and nothing happens.",
        "text",
        attrgetter("subject.description"),
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
        attrgetter("subject.reference"),
        reads=("reference",),
    ),
    Tag(
        "Number",
        "Ticket",
        "The ticket's number in its feedback type",
        "12",
        "number",
        attrgetter("subject.number"),
        reads=("number",),
    ),
    Tag(
        "Ticket ID",
        "Ticket",
        "The number CenterHook knows the ticket by everywhere",
        "3401",
        "number",
        attrgetter("subject.pk"),
    ),
    Tag(
        "Ticket Key",
        "Ticket",
        "The same for the ticket's whole life and no other's, here or in another"
        " CenterHook: for systems that find a record again by it",
        "3401-64cf896117121",
        "text",
        ticket_key,
        reads=("created_at",),
    ),
    Tag(
        "Ticket URL",
        "Ticket",
        "The address of the ticket's page in CenterHook",
        "https://centerhook.example.com/admin/feedback/feedback/3401/change/",
        "text",
        attrgetter("subject_url"),
    ),
    Tag(
        "Visibility",
        "Ticket",
        "Who may see the ticket: public or private",
        "public",
        "text",
        lambda context: str(context.subject.visibility),
        reads=("visibility",),
    ),
    Tag(
        "Created",
        "Ticket",
        "When the ticket was submitted",
        "2026-03-14T09:26:53+00:00",
        "date",
        attrgetter("subject.created_at"),
        reads=("created_at",),
    ),
    Tag(
        "Modified",
        "Ticket",
        "When the ticket was last changed",
        "2026-03-15T10:00:00+00:00",
        "date",
        attrgetter("subject.modified_at"),
        reads=("modified_at",),
    ),
]

_OWNER = [
    Tag(
        "Feedback Type",
        "Project",
        "The name of the ticket's feedback type",
        "Bug Report",
        "text",
        attrgetter("subject.feedback_type.name"),
        reads=("feedback_type__name",),
    ),
    Tag(
        "Project",
        "Project",
        "The name of the ticket's project",
        "Spring Beta",
        "text",
        attrgetter("subject.feedback_type.project.name"),
        reads=("feedback_type__project__name",),
    ),
    Tag(
        "Community",
        "Project",
        "The name of the project's community",
        "Acme Testers",
        "text",
        attrgetter("subject.feedback_type.project.community.name"),
        reads=("feedback_type__project__community__name",),
    ),
]

# Label, meaning, sample, attribute of a tester, the columns behind it.
_PROFILE: tuple[tuple[str, str, str, str, tuple[str, ...]], ...] = (
    (
        "Name",
        "First and last name",
        "Ada Lovelace",
        "name",
        ("first_name", "last_name"),
    ),
    ("First Name", "First name", "Ada", "first_name", ("first_name",)),
    ("Last Name", "Last name", "Lovelace", "last_name", ("last_name",)),
    ("Email", "E-mail address", "ada@example.com", "email", ("email",)),
    ("Phone", "Telephone number", "+44 20 7946 0958", "phone", ("phone",)),
    ("Company", "Company", "Analytical Engines Ltd", "company", ("company",)),
    (
        "Street",
        "First line of the address",
        "12 St James's Square",
        "street1",
        ("street1",),
    ),
    ("Street 2", "Second line of the address", "Flat 3", "street2", ("street2",)),
    ("City", "City", "London", "city", ("city",)),
    ("Region", "State, county or region", "Greater London", "region", ("region",)),
    ("Postal Code", "Postal code", "SW1Y 4JH", "postal_code", ("postal_code",)),
    ("Country", "Country", "GB", "country", ("country",)),
    ("Score", "Points that macros gave", "25", "score", ("score",)),
)


def _profile_tags(prefix: str, path: str) -> list[Tag]:
    """A tester's own tags, or with a prefix those of a ticket's submitter."""
    return [
        Tag(
            f"{prefix}{label}",
            prefix.strip() or "Tester",
            meaning,
            sample,
            "number" if attribute == "score" else "text",
            _submitter(attribute) if prefix else attrgetter(f"subject.{attribute}"),
            reads=tuple(f"{path}{column}" for column in columns),
        )
        for label, meaning, sample, attribute, columns in _PROFILE
    ]


_SUBMITTER = _profile_tags("Submitter ", "submitter__")
_OWN_PROFILE = _profile_tags("", "")

_TESTER = [
    Tag(
        "Tester ID",
        "Tester",
        "The number CenterHook knows the tester by everywhere",
        "512",
        "number",
        attrgetter("subject.pk"),
    ),
    Tag(
        "Tester URL",
        "Tester",
        "The address of the tester's page in CenterHook",
        "https://centerhook.example.com/admin/feedback/tester/512/change/",
        "text",
        attrgetter("subject_url"),
    ),
    Tag(
        "Created",
        "Tester",
        "When the tester was added",
        "2026-03-14T09:26:53+00:00",
        "date",
        attrgetter("subject.created_at"),
        reads=("created_at",),
    ),
]

_TESTERS_OWNER = [
    Tag(
        "Project",
        "Project",
        "The name of the macro's project; empty in a macro of the whole community",
        "Spring Beta",
        "text",
        attrgetter("project"),
    ),
    Tag(
        "Community",
        "Project",
        "The name of the tester's community",
        "Acme Testers",
        "text",
        attrgetter("subject.community.name"),
        reads=("community__name",),
    ),
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


def _by_name(*groups: list[Tag]) -> dict[str, Tag]:
    return {normalise(tag.name): tag for group in groups for tag in group}


# Subject kind -> normalised name -> tag.
CATALOGUES: Mapping[str, Mapping[str, Tag]] = {
    FEEDBACK: _by_name(_TICKET, _OWNER, _SUBMITTER, _RUN, BEGINNINGS),
    TESTER: _by_name(_OWN_PROFILE, _TESTER, _TESTERS_OWNER, _RUN, BEGINNINGS),
}
# Other names of tags, so that a template written for tickets can be moved to testers:
# the submitter is the tester there.
ALIASES: Mapping[str, Mapping[str, Tag]] = {
    FEEDBACK: {},
    TESTER: {normalise(f"Submitter {tag.name}"): tag for tag in _OWN_PROFILE},
}
# The subjects in a sentence.
SUBJECT_NAMES: Mapping[str, str] = {FEEDBACK: "tickets", TESTER: "testers"}
