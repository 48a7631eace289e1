"""Every field of tickets and testers that can be compared, by one name each.

The lists of the admin, the parameters of the API and saved filters know these, and
nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import tzinfo
from functools import cached_property
from typing import Any, cast

from django.db.models import (
    Count,
    F,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
)
from django.db.models.expressions import Func
from django.db.models.functions import Coalesce, Length, Replace, Substr

from ..forms import PREFIX
from ..models import (
    Comment,
    Community,
    Feedback,
    FeedbackType,
    FormField,
    Project,
    Status,
    Tester,
    Visibility,
)
from ..names import did_you_mean
from .answers import answer_field, by_key
from .external import EXTERNAL_PREFIX, ExternalField, is_name
from .fields import (
    SEARCHED_TESTERS,
    AnswerField,
    Field,
    RowField,
    SearchField,
    SubmitterField,
)
from .kinds import (
    ChoiceKind,
    OptionalRowKind,
    RowKind,
    SearchKind,
    TextKind,
    TruthKind,
)
from .ordered import MomentKind, OptionalWholeKind, WholeKind

# Where a search looks for each of its words.
SEARCHED_TEXTS = ("reference", "title", "description")
_SUBMITTERS = ("email", "last_name")
SEARCHED_TICKETS = (*SEARCHED_TEXTS, *(f"submitter__{each}" for each in _SUBMITTERS))


@dataclass(frozen=True)
class Catalogue:
    """The fields of one kind of subject; those of a form are looked up when asked for.

    Base of both kinds. `zone` is where the days of a condition begin.
    """

    zone: tzinfo

    @cached_property
    def own(self) -> dict[str, Field]:
        """The fields that there always are, by name."""
        raise NotImplementedError

    @cached_property
    def answers(self) -> dict[str, Field]:
        return {}

    @property
    def fields(self) -> dict[str, Field]:
        """All but external data, whose names nobody knows beforehand."""
        return self.own | self.answers

    def find(self, name: str) -> Field | None:
        if name in self.own:
            return self.own[name]
        if name.startswith(PREFIX):
            return self.answers.get(name)
        external = name.removeprefix(EXTERNAL_PREFIX)
        if external != name and is_name(external):
            return ExternalField.of_name(external)
        return None

    def nearest(self, name: str) -> str:
        """The end of a sentence about a name that is not known."""
        return did_you_mean(name, self.fields)


@dataclass(frozen=True)
class TicketCatalogue(Catalogue):
    """`types` are the feedback types that may be spoken of."""

    types: QuerySet[FeedbackType]
    is_one_type: bool = False

    @cached_property
    def own(self) -> dict[str, Field]:
        every = [*_ticket_fields(), *self._pointers(), *_submitters_profile()]
        return {field.name: field for field in every}

    @cached_property
    def answers(self) -> dict[str, Field]:
        return self.answers_to(self._questions())

    def answers_to(self, questions: Iterable[FormField]) -> dict[str, Field]:
        same = by_key(questions).values()
        return {PREFIX + each[0].key: self._answer(each) for each in same}

    def answers_named(self, names: Iterable[str]) -> dict[str, AnswerField]:
        """Those of many types' answers, looked up together; whatever their capitals."""
        keys = {name: name.removeprefix(PREFIX) for name in names if "\0" not in name}
        if not keys:
            return {}
        wanted = Q(*(("key__iexact", key) for key in keys.values()), _connector=Q.OR)
        known = by_key(self._questions().filter(wanted))
        return {
            name: self._answer(known[key.lower()])
            for name, key in keys.items()
            if key.lower() in known
        }

    def _questions(self) -> QuerySet[FormField]:
        questions = FormField.objects.filter(feedback_type__in=self.types)
        return questions.order_by("position", "pk")

    def _answer(self, questions: list[FormField]) -> AnswerField:
        name = PREFIX + questions[0].key
        return answer_field(name, questions, is_only_type=self.is_one_type)

    def _pointers(self) -> Iterator[Field]:
        yield RowField(
            name="status",
            label="Status",
            kind=OptionalRowKind(noun="status"),
            column="status",
            shown="status__name",
            rows=Status.objects.filter(feedback_type__in=self.types).select_related(
                "feedback_type__project"
            ),
            name_of=str if self.is_one_type else _with_type,
        )
        yield RowField(
            name="type",
            label="Feedback type",
            kind=RowKind(noun="feedback type"),
            column="feedback_type",
            shown="feedback_type__name",
            rows=self.types,
        )
        yield RowField(
            name="project",
            label="Project",
            kind=RowKind(noun="project"),
            column="feedback_type__project",
            shown="feedback_type__project__name",
            rows=Project.objects.filter(feedback_types__in=self.types).distinct(),
        )


@dataclass(frozen=True)
class TesterCatalogue(Catalogue):
    """`communities` and `projects` are those that may be spoken of."""

    communities: QuerySet[Community]
    projects: QuerySet[Project]

    @cached_property
    def own(self) -> dict[str, Field]:
        every = [*_profile(), *_tester_fields(), *self._pointers()]
        return {field.name: field for field in every}

    def _pointers(self) -> Iterator[Field]:
        yield RowField(
            name="community",
            label="Community",
            kind=RowKind(noun="community"),
            column="community",
            shown="community__name",
            rows=self.communities,
        )
        yield SubmittedInField(
            name="project",
            label="Submitted in project",
            kind=RowKind(noun="project"),
            rows=self.projects,
        )


def _with_type(status: Status) -> str:
    return f"{status.feedback_type.name}: {status.name}"


class SubmittedInField(RowField):
    """Whose tickets are in one of the projects."""

    def test(self, qualifier: Any, values: list[Any], at: Any) -> Q:
        tickets = Feedback.objects.filter(
            feedback_type__project__in=values, submitter__isnull=False
        )
        return Q(pk__in=tickets.order_by().values("submitter"))


def _ticket_fields() -> Iterator[Field]:
    is_open = Q(status__in=Status.objects.filter(is_open=True))
    yield _field("open", "Open", TruthKind(), is_open, shown="status__is_open")
    yield _field("title", "Title", TextKind())
    yield _field("description", "Description", TextKind())
    yield _field("reference", "Reference", TextKind())
    yield _field("number", "Number", WholeKind())
    yield _field("id", "Ticket ID", WholeKind(), "pk")
    visibility = ChoiceKind(tuple(Visibility.values))
    yield _field("visibility", "Visibility", visibility)
    yield _field("created", "Created", MomentKind(), "created_at")
    yield _field("modified", "Modified", MomentKind(), "modified_at")
    yield _field("comments", "Comments", WholeKind(), _count(Comment, "feedback"))
    yield _search("search", "Search", SEARCHED_TEXTS, _SUBMITTERS)
    yield _search("submitter", "Submitter", (), ("email", "first_name", "last_name"))


def _tester_fields() -> Iterator[Field]:
    erased = Q(erased_at__isnull=False)
    yield _field("id", "Tester ID", WholeKind(), "pk")
    yield _field("created", "Added", MomentKind(), "created_at")
    yield _field("tickets", "Tickets", WholeKind(), _count(Feedback, "submitter"))
    yield _field("erased", "Erased", TruthKind(), erased, shown=erased)
    yield _search("search", "Search", SEARCHED_TESTERS)


def _profile() -> Iterator[Field]:
    """A tester's own fields."""
    for name in Tester.PROFILE:
        label = str(cast(Any, Tester._meta.get_field(name)).verbose_name)
        yield _field(name, label.capitalize(), TextKind())
    domain = _domain("email")
    yield _field("email_domain", "E-mail domain", TextKind(), domain, domain)
    yield _field("score", "Score", WholeKind())


def _submitters_profile() -> Iterator[Field]:
    """The same of a ticket's submitter, who may be missing."""
    for field in _profile():
        kind = OptionalWholeKind() if isinstance(field.kind, WholeKind) else field.kind
        is_plain = isinstance(field.column, str)
        path = f"submitter__{field.column}"
        yield SubmitterField(
            name=f"submitter_{field.name}",
            label=f"Submitter: {field.label.lower()}",
            kind=kind,
            column=field.column,
            shown=path if is_plain else _domain("submitter__email"),
        )


def _field(
    name: str, label: str, kind: Any, column: Any = "", shown: Any = None
) -> Field:
    return Field(name=name, label=label, kind=kind, column=column or name, shown=shown)


def _search(
    name: str, label: str, columns: tuple[str, ...], submitters: tuple[str, ...] = ()
) -> Field:
    return SearchField(
        name=name,
        label=label,
        kind=SearchKind(),
        columns=columns,
        submitters=submitters,
    )


def _count(model: Any, of: str) -> Coalesce:
    """How many rows point at the subject."""
    rows = model.objects.filter(**{of: OuterRef("pk")}).order_by().values(of)
    counted = rows.annotate(count=Count("pk")).values("count")
    return Coalesce(Subquery(counted), 0, output_field=IntegerField())


def _domain(email: str) -> Substr:
    """What stands behind the last @: all before it is made of other characters."""
    others = Replace(F(email), Value("@"), Value(""))
    local = Func(F(email), others, function="RTRIM")
    return Substr(F(email), Length(local) + 1)
