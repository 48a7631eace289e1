"""Every page, who may open it, and who may send it off. A new one needs a row here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from feedback.access.roles import Role

OBSERVER, SUPPORT, PROJECT_MANAGER, COMMUNITY_MANAGER = (
    Role.OBSERVER.value,
    Role.SUPPORT.value,
    Role.PROJECT_MANAGER.value,
    Role.COMMUNITY_MANAGER.value,
)
SUPERUSER = "superuser"

# Who may at least: view, add, change, delete.
MODELS: dict[str, tuple[str, str, str, str]] = {
    "auth.group": (SUPERUSER,) * 4,
    "auth.user": (SUPERUSER,) * 4,
    "feedback.apikey": (COMMUNITY_MANAGER,) * 4,
    "feedback.community": (OBSERVER, SUPERUSER, COMMUNITY_MANAGER, SUPERUSER),
    "feedback.datapackage": (OBSERVER, *(PROJECT_MANAGER,) * 3),
    "feedback.externalsource": (OBSERVER, *(PROJECT_MANAGER,) * 3),
    "feedback.feedback": (OBSERVER, SUPPORT, SUPPORT, PROJECT_MANAGER),
    "feedback.feedbacktype": (OBSERVER, *(PROJECT_MANAGER,) * 3),
    "feedback.filter": (OBSERVER, *(PROJECT_MANAGER,) * 3),
    "feedback.keyuse": (COMMUNITY_MANAGER, *(SUPERUSER,) * 3),
    "feedback.member": (COMMUNITY_MANAGER,) * 4,
    "feedback.project": (
        OBSERVER,
        COMMUNITY_MANAGER,
        PROJECT_MANAGER,
        COMMUNITY_MANAGER,
    ),
    "feedback.recordlookup": (OBSERVER, *(PROJECT_MANAGER,) * 3),
    "feedback.tester": (OBSERVER, COMMUNITY_MANAGER, SUPPORT, COMMUNITY_MANAGER),
    "logs.auditentry": (COMMUNITY_MANAGER, *(SUPERUSER,) * 3),
    "logs.delivery": (OBSERVER, *(SUPERUSER,) * 3),
    "logs.destination": (OBSERVER, SUPERUSER, COMMUNITY_MANAGER, SUPERUSER),
    "logs.run": (OBSERVER, *(SUPERUSER,) * 3),
    "macros.inboundcall": (OBSERVER, *(SUPERUSER,) * 3),
    "macros.listener": (OBSERVER, *(PROJECT_MANAGER,) * 3),
    "macros.macro": (OBSERVER, *(PROJECT_MANAGER,) * 3),
    "macros.schedule": (OBSERVER, *(PROJECT_MANAGER,) * 3),
    "macros.secret": (PROJECT_MANAGER,) * 4,
    "macros.trigger": (OBSERVER, *(PROJECT_MANAGER,) * 3),
}
# Nobody at all: history is never written by hand.
READ_ONLY = frozenset(
    {"feedback.keyuse", "logs.auditentry", "logs.delivery", "logs.run"}
    | {"macros.inboundcall"}
)
# Rows that belong to the community: a role in a project does not reach them.
OF_THE_COMMUNITY = frozenset(
    {
        "feedback.apikey",
        "feedback.keyuse",
        "feedback.member",
        "logs.auditentry",
        "macros.secret",
    }
)


@dataclass(frozen=True, slots=True)
class Page:
    """A page about a row of `of` (none: about no row), and who may at least."""

    of: str = ""
    get: str = ""
    post: str = ""
    # Its address takes this.
    argument: str = "pk"
    # And the address of one about no row, this.
    given: Mapping[str, str] = field(default_factory=dict)


EVERYBODY = "everybody"
OTHERS: dict[str, Page] = {
    "index": Page(get=EVERYBODY),
    "search": Page(get=EVERYBODY),
    "doctor": Page(get=SUPERUSER),
    "what_is_new": Page(get=EVERYBODY),
    "mode": Page(get=SUPERUSER, post=SUPERUSER),
    "macro_figures": Page("macros.macro", OBSERVER, OBSERVER),
    "destination_figures": Page("logs.destination", OBSERVER, OBSERVER),
    "first_steps": Page(get=PROJECT_MANAGER),
    "first_steps_away": Page(get=PROJECT_MANAGER, post=PROJECT_MANAGER),
    "first_steps_samples": Page(get=PROJECT_MANAGER, post=PROJECT_MANAGER),
    "first_steps_progress": Page(get=PROJECT_MANAGER),
    "first_steps_step": Page(get=PROJECT_MANAGER, given={"name": "type"}),
    "password_change": Page(get=EVERYBODY),
    "password_change_done": Page(get=EVERYBODY),
    "autocomplete": Page(get=EVERYBODY),
    "jsi18n": Page(get=EVERYBODY),
    "auth_user_password_change": Page("auth.user", SUPERUSER, SUPERUSER, "id"),
    **{
        f"feedback_apikey_{name}": Page(
            "feedback.apikey", COMMUNITY_MANAGER, COMMUNITY_MANAGER
        )
        for name in ("rotate", "off", "on")
    },
    "feedback_apikey_unlock": Page(get=COMMUNITY_MANAGER),
    **{
        f"feedback_tester_{name}": Page(
            "feedback.tester", COMMUNITY_MANAGER, COMMUNITY_MANAGER
        )
        for name in ("export", "erase")
    },
    "feedback_community_retention": Page(
        "feedback.community", COMMUNITY_MANAGER, COMMUNITY_MANAGER
    ),
    "feedback_feedback_import": Page(get=SUPPORT),
    "feedback_feedback_imported": Page("feedback.ticketimport", SUPPORT, SUPPORT),
    "feedback_feedback_refused": Page("feedback.ticketimport", SUPPORT, SUPPORT),
    "feedback_feedback_export": Page(get=OBSERVER, given={"form": "csv"}),
    "feedback_datapackage_make": Page(
        "feedback.datapackage", OBSERVER, PROJECT_MANAGER
    ),
    "feedback_externalsource_key": Page(
        "feedback.externalsource", PROJECT_MANAGER, PROJECT_MANAGER
    ),
    "feedback_filter_builder": Page("feedback.filter", OBSERVER, OBSERVER),
    "feedback_filter_new_builder": Page(get=PROJECT_MANAGER),
    "feedback_filter_save": Page(get=PROJECT_MANAGER),
    "feedback_feedback_look": Page(get=OBSERVER, post=OBSERVER),
    "feedback_tester_look": Page(get=OBSERVER, post=OBSERVER),
    "logs_destination_resume": Page(
        "logs.destination", COMMUNITY_MANAGER, COMMUNITY_MANAGER
    ),
    "logs_delivery_progress": Page("logs.delivery", OBSERVER, OBSERVER),
    "macros_macro_editor": Page(
        "macros.macro", PROJECT_MANAGER, PROJECT_MANAGER, "object_id"
    ),
    "macros_macro_new_editor": Page(get=PROJECT_MANAGER),
    "macros_macro_test": Page("macros.macro", PROJECT_MANAGER, PROJECT_MANAGER),
    "feedback_project_clone": Page(
        "feedback.project", COMMUNITY_MANAGER, COMMUNITY_MANAGER
    ),
    "feedback_project_export": Page(
        "feedback.project", PROJECT_MANAGER, PROJECT_MANAGER
    ),
    "feedback_project_import": Page(
        "feedback.project", PROJECT_MANAGER, PROJECT_MANAGER
    ),
    "macros_macro_versions": Page("macros.macro", PROJECT_MANAGER, PROJECT_MANAGER),
    "logs_run_progress": Page("logs.run", OBSERVER, OBSERVER),
    "logs_run_confirm": Page("logs.run", SUPPORT, SUPPORT),
    "logs_run_pause": Page("logs.run", SUPPORT, SUPPORT),
    "logs_run_resume": Page("logs.run", SUPPORT, SUPPORT),
    "logs_run_cancel": Page("logs.run", SUPPORT, SUPPORT),
    **{
        f"macros_listener_{name}": Page(
            "macros.listener", PROJECT_MANAGER, PROJECT_MANAGER
        )
        for name in ("toggle", "renew", "try")
    },
    "macros_listener_example": Page("macros.listener", OBSERVER, OBSERVER),
    "macros_listener_from_preset": Page(get=PROJECT_MANAGER),
    "macros_listener_from_preset_form": Page(
        get=PROJECT_MANAGER, given={"name": "jira"}
    ),
    "macros_listener_from_preset_pair": Page(
        get=PROJECT_MANAGER, given={"name": "jira"}
    ),
    "macros_inboundcall_progress": Page("macros.inboundcall", OBSERVER, OBSERVER),
    "macros_trigger_toggle": Page("macros.trigger", PROJECT_MANAGER, PROJECT_MANAGER),
    "macros_trigger_try": Page("macros.trigger", OBSERVER, OBSERVER),
    "macros_macro_tags": Page(get=OBSERVER, post=OBSERVER),
    "macros_macro_new": Page(get=PROJECT_MANAGER),
    "macros_macro_new_curl": Page(get=PROJECT_MANAGER),
    "macros_macro_new_preset": Page(get=PROJECT_MANAGER, given={"name": "slack-text"}),
    **{
        f"macros_macro_{name}": Page("macros.macro", PROJECT_MANAGER, PROJECT_MANAGER)
        for name in ("duplicate", "export")
    },
    "macros_macro_pause": Page("macros.macro", PROJECT_MANAGER, PROJECT_MANAGER),
    "macros_schedule_moments": Page(get=PROJECT_MANAGER),
    "macros_schedule_past": Page("macros.schedule", OBSERVER, OBSERVER),
    "macros_schedule_run": Page("macros.schedule", SUPPORT, SUPPORT),
    "macros_schedule_toggle": Page("macros.schedule", PROJECT_MANAGER, PROJECT_MANAGER),
    "macros_macro_resume": Page("macros.macro", PROJECT_MANAGER, PROJECT_MANAGER),
}
# Sign-in and sign-out are open, a person's own second factor is walked by
# tests/sign_in, the audit log's export and histories by tests/admin, and the rest are
# Django's own redirects. One version of a macro is in tests/admin/test_versions.py, a
# file of a ticket in tests/feedback/test_attachments.py.
NOT_WALKED = {
    "macros_macro_restore",
    "macros_macro_version",
    "feedback_feedback_attachment",
    "logs_auditentry_about",
    "logs_auditentry_export",
    "login",
    "logout",
    "second_factor",
    "second_factor_code",
    "second_factor_leave",
    "second_factor_new_codes",
    "second_factor_off",
    "second_factor_set_up",
    "app_list",
    "None",
}
