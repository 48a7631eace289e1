"""What a filter, a listener, a package or a lookup is about, as people choose it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import Any

from django import forms

from ..access.actors import reached_wholly
from ..access.keys import Actor
from ..access.roles import VIEW_TESTER, VIEW_TICKET
from ..access.unlocking import explain_lock
from ..models import (
    Community,
    FeedbackType,
    LookupKind,
    PackageRows,
    Project,
    SubjectKind,
)

Owner = FeedbackType | Project | Community
# What is chosen, in URLs and forms.
ABOUT = "about"


@dataclass(frozen=True, slots=True)
class Selected:
    """The tickets of a type, or the tickets or testers of a project or community.

    Or, for what only gives rows out, a community's projects and anyone's deliveries.
    """

    owner: Owner
    kind: SubjectKind | LookupKind | PackageRows

    @property
    def key(self) -> str:
        """Its name in a URL or a form."""
        return f"{self.owner._meta.model_name}-{self.owner.pk}-{self.kind}"

    @property
    def label(self) -> str:
        if self.kind == LookupKind.PROJECT:
            return f"All projects of {self.owner.name}"
        if self.kind == PackageRows.DELIVERIES:
            return f"Deliveries of {self.owner}"
        if isinstance(self.owner, FeedbackType):
            return f"Tickets of {self.owner}"
        if self.kind == SubjectKind.FEEDBACK:
            return f"All tickets of {self.owner.name}"
        if isinstance(self.owner, Community):
            return f"All testers of {self.owner}"
        return f"Testers who submitted in {self.owner.name}"

    @property
    def community(self) -> Community:
        if isinstance(self.owner, FeedbackType):
            return self.owner.project.community
        return self.owner if isinstance(self.owner, Community) else self.owner.community

    def give(self, row: Any) -> None:
        """Make the row, which is `Owned` and has a kind of subject, be about this."""
        row.subject_kind = self.kind
        self.give_owner(row)

    def give_owner(self, row: Any) -> None:
        column = {FeedbackType: "feedback_type", Project: "project"}
        setattr(row, column.get(type(self.owner), "community"), self.owner)
        row.find_owners()


def selected_by(row: Any) -> Selected:
    return Selected(row.owner, SubjectKind(row.subject_kind))


def selectable(
    actor: Actor, permission: str, *, whole_communities: bool = False
) -> list[Selected]:
    """Where the actor has the permission, such as to add filters.

    The tickets of a whole community have too little in common for conditions, so they
    are there only on request.
    """
    communities = Community.objects.filter(reached_wholly(actor, permission))
    projects = Project.objects.visible_to(actor, permission).select_related("community")
    types = FeedbackType.objects.visible_to(actor, permission)
    types = types.select_related("project__community")
    tickets, testers = SubjectKind.FEEDBACK, SubjectKind.TESTER
    rows = [Selected(each, tickets) for each in types]
    for project in projects:
        rows += [Selected(project, tickets), Selected(project, testers)]
    for community in communities:
        rows += [Selected(community, testers)]
        rows += [Selected(community, tickets)] if whole_communities else []
    return sorted(rows, key=lambda each: (each.community.name, each.label))


class SelectedField(forms.TypedChoiceField):
    """Gives a Selected."""

    def __init__(self, rows: list[Selected], **options: Any) -> None:
        by_key = {each.key: each for each in rows}
        options.setdefault("label", "Selects")
        options.setdefault("error_messages", {"required": "Choose what it selects."})
        super().__init__(
            choices=[("", "---------"), *_grouped(rows)],
            coerce=by_key.__getitem__,
            empty_value=None,
            **options,
        )


def _grouped(rows: list[Selected]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Under the name of each community."""
    return [
        (community, [(each.key, each.label) for each in group])
        for community, group in groupby(rows, lambda each: each.community.name)
    ]


def choice_of(
    rows: list[Selected], chosen: Selected | None, actor: Actor
) -> dict[str, object]:
    """The context of a page on which people choose what a new row is about."""
    widget = SelectedField(rows).widget
    return {
        "about": widget.render(ABOUT, chosen and chosen.key, {"id": f"id_{ABOUT}"}),
        "is_empty": not rows,
        "lock": chosen and explain_lock(chosen.community, actor),
    }


def permission_to_see(kind: str) -> str:
    return VIEW_TICKET if kind == SubjectKind.FEEDBACK else VIEW_TESTER
