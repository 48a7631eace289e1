"""What each role may do: the one table of permissions.

A permission is Django's `app.action_model`. A role includes those below it.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import TextChoices


class Role(TextChoices):
    COMMUNITY_MANAGER = "community_manager", "Community Manager"
    PROJECT_MANAGER = "project_manager", "Project Manager"
    SUPPORT = "support", "Support"
    OBSERVER = "observer", "Observer"


# Perform Action, control a run, send again.
RUN_MACRO = "macros.run_macro"
# Send tickets through an external source: for programs only.
CALL_SOURCE = "feedback.call_externalsource"
# The rows of data packages, and one record through a record lookup.
READ_PACKAGE = "feedback.read_datapackage"
LOOK_UP = "feedback.call_recordlookup"
# A program needs a key for just this.
READ_DATA = frozenset({READ_PACKAGE, LOOK_UP})
# Files on tickets.
VIEW_ATTACHMENT = "feedback.view_attachment"
ADD_ATTACHMENT = "feedback.add_attachment"
# Whose tickets are spoken of, and which testers.
VIEW_TICKET = "feedback.view_feedback"
VIEW_TESTER = "feedback.view_tester"
ADD_TICKET = "feedback.add_feedback"
CHANGE_TICKET = "feedback.change_feedback"
DELETE_TICKET = "feedback.delete_feedback"
ADD_TESTER = "feedback.add_tester"
CHANGE_TESTER = "feedback.change_tester"
# All that is stored of a person.
EXPORT_TESTER = "feedback.export_tester"
ERASE_TESTER = "feedback.erase_tester"


def _permissions(actions: Iterable[str], models: Iterable[str]) -> frozenset[str]:
    """`view` on `feedback.tester` is `feedback.view_tester`."""
    models = list(models)
    return frozenset(
        "{0}.{2}_{1}".format(*model.split("."), action)
        for model in models
        for action in actions
    )


_EDIT = ("add", "change", "delete")
_READ = (
    _permissions(
        ["view"],
        [
            "feedback.community",
            "feedback.project",
            "feedback.feedbacktype",
            "feedback.status",
            "feedback.formfield",
            "feedback.feedback",
            "feedback.comment",
            "feedback.commentedit",
            "feedback.attachment",
            "feedback.tester",
            "feedback.filter",
            "feedback.externalsource",
            "feedback.recordlookup",
            "feedback.datapackage",
            "feedback.snapshot",
            "macros.macro",
            "macros.trigger",
            "macros.triggerdecision",
            "macros.listener",
            "macros.inboundcall",
            "macros.inboundevent",
            "macros.inboundrefusal",
            "macros.schedule",
            "macros.occurrence",
            "logs.run",
            "logs.delivery",
            "logs.attempt",
            "logs.destination",
        ],
    )
    | READ_DATA
)
_SUPPORT = (
    _READ
    | _permissions(["add", "change"], ["feedback.feedback"])
    | _permissions(_EDIT, ["feedback.comment", "feedback.attachment"])
    | _permissions(["change"], ["feedback.tester"])
    | _permissions(["view", "add"], ["feedback.ticketimport", "feedback.importpart"])
    | {RUN_MACRO}
)
_MANAGE_PROJECT = (
    _SUPPORT
    | _permissions(["delete"], ["feedback.feedback"])
    | _permissions(["change"], ["feedback.project"])
    | _permissions(
        _EDIT,
        [
            "feedback.feedbacktype",
            "feedback.status",
            "feedback.formfield",
            "feedback.filter",
            "feedback.externalsource",
            "feedback.recordlookup",
            "feedback.datapackage",
            "macros.macro",
            "macros.trigger",
            "macros.schedule",
            "macros.listener",
            "macros.listenercheck",
            "macros.listeneraction",
            "macros.secret",
            "macros.step",  # Steps of every kind.
        ],
    )
    # Templates may hold credentials; of others the log shows them masked.
    | _permissions(
        ["view"],
        [
            "macros.macroversion",
            "macros.secret",
            "macros.step",
            "macros.listenercheck",
            "macros.listeneraction",
        ],
    )
)
_MANAGE_COMMUNITY = (
    _MANAGE_PROJECT
    | _permissions(["change"], ["feedback.community", "logs.destination"])
    | _permissions(_EDIT, ["feedback.project", "feedback.tester"])
    | _permissions(
        ["view", *_EDIT], ["feedback.apikey", "feedback.member", "feedback.grant"]
    )
    | _permissions(["view"], ["feedback.keyuse"])
    | {EXPORT_TESTER, ERASE_TESTER}
    | _permissions(["view"], ["logs.auditentry"])
)

# What a program may do that sets up projects and automation. Who may do what, and
# secrets, are not among it.
SET_UP = (
    (_MANAGE_PROJECT - _SUPPORT)
    | _permissions(["add", "delete"], ["feedback.project"])
    | _permissions(["change"], ["feedback.community", "logs.destination"])
    | _permissions(
        ["view"],
        ["feedback.apikey", "feedback.member", "feedback.grant", "logs.auditentry"],
    )
) - _permissions(["view", *_EDIT], ["macros.secret"])

PERMISSIONS: dict[str, frozenset[str]] = {
    Role.OBSERVER: _READ,
    Role.SUPPORT: _SUPPORT,
    Role.PROJECT_MANAGER: _MANAGE_PROJECT,
    Role.COMMUNITY_MANAGER: _MANAGE_COMMUNITY,
}
