"""A body for every operation of the API that takes one, as its schema shows it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from macros.steps.kinds.web_request import WebRequest

_CONDITIONS = {
    "match": "all",
    "conditions": [
        {"field": "field_severity", "qualifier": "is", "value": "Critical"},
        {"field": "created", "qualifier": "in_last", "value": "7 days"},
    ],
}
_WEB_REQUEST = {
    "kind": WebRequest.kind,
    "method": "POST",
    "url": "https://hooks.example.com/bugs",
    "body": '{"text": "((Reference)) ((Title))"}',
}
_SCHEDULE = {
    "name": "Twice a week",
    "macro": 3,
    "rate": "weekly",
    "at": "09:30",
    "weekdays": "1,3",
    "time_zone": "Europe/Berlin",
}
# Keyed by the names of operations.
EXAMPLES: dict[str, dict[str, Any]] = {
    "calls_replay_many": {"ids": [3, 4]},
    "comments_create": {"feedback": 12, "text": "Fixed in 4.2."},
    "comments_partial_update": {"text": "Fixed in 4.2.1."},
    "deliveries_resend_create": {"kind": "anew"},
    "destinations_partial_update": {"rate": 5, "concurrency": 2},
    "communities_create": {"name": "Acme"},
    "communities_partial_update": {"alert_emails": "ops@example.com"},
    "feedback_batch_create": {
        "tickets": [
            {"type": 1, "title": "It breaks", "submitter": "ada@example.com"},
            {"id": 12, "status": "Closed"},
        ]
    },
    "filters_create": {"name": "Urgent", "type": 3, "conditions": _CONDITIONS},
    "filters_fields_create": {"type": 3},
    "filters_partial_update": {"conditions": _CONDITIONS},
    "filters_preview_create": {"type": 3, "conditions": _CONDITIONS},
    "lookups_create": {
        "type": 3,
        "name": "Status of a bug",
        "key": "bug-status",
        "found_by": "reference",
        "columns": [{"name": "reference", "type": "text"}, {"name": "status"}],
    },
    "lookups_partial_update": {"is_active": False},
    "listeners_create": {
        "name": "From Jira",
        "type": 3,
        "record_by": "external",
        "record_external": "jira_key",
        "record_at": "$.issue.key",
        "checks": [{"scheme": "atlassian", "secret": "jira_webhook"}],
        "actions": [{"kind": "run", "macro": 5}],
    },
    "listeners_partial_update": {"is_active": False},
    "listeners_renew_create": {"hours": 24},
    "macros_create": {"name": "Post to Slack", "type": 1, "steps": [_WEB_REQUEST]},
    "macros_dry_run_create": {"filter": {"open": True, "field_severity": "Critical"}},
    "macros_from_preset_create": {
        "preset": "slack-text",
        "type": 1,
        "name": "Post to Slack",
        "secrets": {"slack_url": {"value": "https://hooks.slack.com/services/T0/B0/x"}},
    },
    "macros_partial_update": {"description": "For the chat of the team."},
    "macros_preview_create": {"subject": 12},
    "macros_runs_create": {"filter": {"open": True, "field_severity": "Critical"}},
    "macros_test_create": {"subject": 12, "to": "echo"},
    "macros_validate_create": {"name": "Post to Slack", "steps": [_WEB_REQUEST]},
    "macros_validate_new": {
        "name": "Post to Slack",
        "type": 1,
        "steps": [_WEB_REQUEST],
    },
    "packages_create": {
        "name": "Open bugs",
        "key": "open-bugs",
        "type": 1,
        "columns": ["id", "reference", "title"],
    },
    "packages_partial_update": {"refresh_every": 60},
    "runs_resend_count_create": {"kind": "same", "only": "failed"},
    "runs_resend_create": {"kind": "same", "only": "failed", "confirmed": "3-1f-8a"},
    "projects_create": {"name": "Phone Beta", "time_zone": "Europe/Berlin"},
    "projects_partial_update": {"description": "From March to May."},
    "schedules_create": {
        "name": "Mornings",
        "macro": 3,
        "rate": "weekly",
        "at": "09:30",
        "weekdays": "1,3",
        "time_zone": "Europe/Berlin",
    },
    "schedules_partial_update": {"is_active": False},
    "secrets_create": {
        "name": "Slack",
        "value": "xoxb-0123456789",
        "project": 1,
        "hosts": ["hooks.slack.com"],
    },
    "secrets_partial_update": {"value": "xoxb-9876543210"},
    "sources_create": {"type": 3, "name": "Web form"},
    "sources_partial_update": {"is_active": False},
    "testers_create": {"email": "ada@example.com", "city": "London"},
    "testers_partial_update": {"city": "Oxford", "external_data": {"crm_id": 17}},
    "types_create": {
        "project": 1,
        "name": "Bug Report",
        "prefix": "BUG",
        "statuses": [{"name": "New"}, {"name": "Closed", "is_open": False}],
        "questions": [
            {"label": "Severity", "kind": "choice", "choices": ["Minor", "Major"]}
        ],
    },
    "types_partial_update": {"name": "Defect"},
    "testers_batch_create": {
        "testers": [{"email": "ada@example.com", "city": "London", "country": "GB"}]
    },
    "testers_erase_create": {"email": "ada@example.com", "remove_texts": False},
    "triggers_create": {
        "name": "When closed",
        "macro": 3,
        "event": "status_changed",
        "event_details": {"to_status": 8},
    },
    "triggers_partial_update": {"is_active": False},
    "triggers_try_create": {"subject": 12},
}


def bodies(spec: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The operations that take JSON: the name, and what is known of the body."""
    for operations in spec["paths"].values():
        for operation in operations.values():
            content = operation.get("requestBody", {}).get("content", {})
            if "application/json" in content:
                yield operation["operationId"], content["application/json"]


def add(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """A postprocessing hook."""
    for name, body in bodies(result):
        if name in EXAMPLES:
            body.pop("examples", None)
            body["example"] = EXAMPLES[name]
    return result
