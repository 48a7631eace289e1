"""What people do in the admin, programs can do by the API, or it is said why not."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from django.contrib import admin
from django.urls import URLResolver, get_resolver

from tests.walk.pages import MODELS, READ_ONLY
from tests.walk.walker import patterns

# What nobody needs from outside, and the reason. A model, or one deed on it.
LEFT_OUT = {
    "auth.group": "Roles are the groups of a membership, which is read as a whole.",
    "auth.user": "Accounts and second factors are a person's own, behind a session.",
    "feedback.keyuse": "Statistics of keys for the person who looks after them.",
    "feedback.member add": "Who may do what is a person's decision.",
    "feedback.member change": "Who may do what is a person's decision.",
    "feedback.member delete": "Who may do what is a person's decision.",
    "feedback.apikey add": "A token is shown once, to a person.",
    "feedback.apikey change": "A key would give itself scopes.",
    "feedback.apikey delete": "Who may do what is a person's decision.",
}
# Pages of the admin beside the usual ones: the routes that do the same.
ROUTES = {
    "feedback_datapackage_make": ["datapackage-refresh"],
    "feedback_externalsource_key": ["externalsource-new-url"],
    "feedback_feedback_attachment": ["attachment-download"],
    "feedback_feedback_export": ["feedback-list"],
    "feedback_feedback_import": ["feedback-batch"],
    "feedback_filter_builder": ["filter-fields", "filter-preview"],
    "feedback_filter_new_builder": ["filter-fields", "filter-try"],
    "feedback_filter_save": ["filter-list"],
    "feedback_feedback_look": ["filter-try"],
    "feedback_tester_look": ["filter-try"],
    "feedback_tester_erase": ["tester-erase"],
    "feedback_tester_export": ["tester-export"],
    "logs_auditentry_about": ["audit-list"],
    "logs_auditentry_export": ["audit-list"],
    "logs_delivery_progress": ["delivery-detail"],
    "logs_destination_resume": ["destination-resume"],
    "logs_run_cancel": ["run-cancel"],
    "logs_run_confirm": ["run-confirm"],
    "logs_run_pause": ["run-pause"],
    "logs_run_progress": ["run-detail"],
    "logs_run_resume": ["run-resume"],
    "macros_inboundcall_progress": ["call-detail"],
    "macros_listener_renew": ["listener-renew"],
    "macros_listener_toggle": ["listener-detail"],
    "macros_macro_duplicate": ["macro-duplicate"],
    "macros_macro_editor": ["macro-validate"],
    "macros_macro_export": ["macro-export"],
    "macros_macro_new_editor": ["macro-validate-new"],
    "macros_macro_pause": ["macro-pause"],
    "macros_macro_restore": ["version-restore"],
    "macros_macro_resume": ["macro-resume"],
    "macros_macro_new": ["macro-presets"],
    "macros_macro_new_preset": ["macro-from-preset"],
    "macros_macro_test": ["macro-test"],
    "macros_macro_version": ["version-detail"],
    "macros_macro_versions": ["version-list"],
    "macros_schedule_moments": ["schedule-moments"],
    "macros_schedule_run": ["schedule-runs"],
    "macros_schedule_toggle": ["schedule-detail"],
    "macros_trigger_toggle": ["trigger-detail"],
    "macros_trigger_try": ["trigger-try"],
}
_PAGE = "A help of the form; a program sends the whole row."
PAGES_LEFT_OUT = {
    **dict.fromkeys(
        [f"feedback_apikey_{each}" for each in ("off", "on", "rotate", "unlock")],
        "A key would change keys; tokens are shown once, to a person.",
    ),
    "feedback_community_retention": "What is deleted for good is a person's decision,"
    " beside the count of it.",
    "feedback_feedback_imported": "Of a file; `feedback-batch` responds by row.",
    "feedback_feedback_refused": "Of a file; `feedback-batch` responds by row.",
    **dict.fromkeys(
        [f"feedback_project_{each}" for each in ("clone", "export", "import")],
        "Whole projects are moved as files, by a person or by `manage.py`.",
    ),
    "macros_listener_example": _PAGE,
    "macros_listener_from_preset": "A led way for people; the presets are files.",
    "macros_listener_from_preset_form": "A led way for people.",
    "macros_listener_from_preset_pair": "A led way for people.",
    "macros_listener_try": "A program calls the listener, and reads its call.",
    "macros_macro_new_curl": "A led way for people; a program knows the request.",
    "macros_macro_tags": _PAGE,
    "macros_schedule_past": "The runs are `run-list` with the cause.",
}
# Actions of lists, in the same way.
ACTIONS = {
    "change_many": ["feedback-batch", "tester-batch"],
    "resend_same": ["run-resend", "delivery-resend"],
    "resend_anew": ["run-resend", "delivery-resend"],
    "replay_calls": ["call-replay-many"],
}
ACTIONS_LEFT_OUT = {
    "unlock": "Accounts are a person's own.",
    "remove_second_factor": "Accounts are a person's own.",
    "unlink": "Accounts are a person's own.",
}
_USUAL = ("_changelist", "_add", "_change", "_delete", "_history")


def site() -> URLResolver:
    [view] = [
        each
        for top in get_resolver().url_patterns
        if isinstance(top, URLResolver)
        for each in top.url_patterns
        if isinstance(each, URLResolver) and each.namespace == "api"
    ]
    return view


def by_model() -> dict[str, set[str]]:
    """What the API's viewsets do with each model: view, add, change, delete."""
    deeds: dict[str, set[str]] = defaultdict(set)
    words = {
        "list": "view",
        "retrieve": "view",
        "create": "add",
        "partial_update": "change",
        "destroy": "delete",
    }
    for pattern in patterns(site()):
        callback: Any = pattern.callback
        queryset = getattr(getattr(callback, "cls", None), "queryset", None)
        if queryset is not None:
            label = queryset.model._meta.label_lower
            actions = callback.actions.values()
            deeds[label] |= {words[each] for each in actions if each in words}
    return deeds


def test_what_the_admin_does_with_a_model_the_api_does() -> None:
    deeds = by_model()
    missing = []
    for label, (_, add, change, delete) in MODELS.items():
        wanted = {"view"}
        if label not in READ_ONLY:
            roles = {"add": add, "change": change, "delete": delete}
            # What only a superuser does is no work for a program.
            wanted |= {deed for deed, role in roles.items() if role != "superuser"}
        missing += [
            f"{label} {deed}"
            for deed in sorted(wanted - deeds[label])
            if label not in LEFT_OUT and f"{label} {deed}" not in LEFT_OUT
        ]
    assert missing == []
    there = {label for label, done in deeds.items() if done}
    there |= {f"{label} {deed}" for label, done in deeds.items() for deed in done}
    assert sorted(LEFT_OUT.keys() & there) == []


def test_every_other_page_of_the_admin_has_its_route() -> None:
    routes = {str(each.name) for each in patterns(site())}
    pages = {
        str(url.name)
        for model in admin.site._registry.values()
        for url in model.get_urls()
        if url.name and not str(url.name).endswith(_USUAL)
    }
    pages.discard("None")
    assert sorted(pages - ROUTES.keys() - PAGES_LEFT_OUT.keys()) == []
    assert sorted((ROUTES.keys() | PAGES_LEFT_OUT.keys()) - pages) == []
    assert {each for names in ROUTES.values() for each in names} <= routes


def test_every_action_of_a_list_has_its_route() -> None:
    routes = {str(each.name) for each in patterns(site())}
    actions = {
        each if isinstance(each, str) else each.__name__
        for model in admin.site._registry.values()
        for each in model.actions or ()
    }
    assert sorted(actions - ACTIONS.keys() - ACTIONS_LEFT_OUT.keys()) == []
    assert {each for names in ACTIONS.values() for each in names} <= routes
