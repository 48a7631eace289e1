"""How Django REST framework and drf-spectacular are set up; see centerhook.api."""

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "feedback.rest.authentication.KeyAuthentication",
        "feedback.rest.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["feedback.rest.permissions.HasPermission"],
    "DEFAULT_RENDERER_CLASSES": ["feedback.rest.rendering.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["feedback.rest.parsing.JSONParser"],
    "DEFAULT_FILTER_BACKENDS": ["feedback.rest.filtering.FilterBackend"],
    "DEFAULT_PAGINATION_CLASS": "feedback.rest.paging.CursorPagination",
    "DEFAULT_SCHEMA_CLASS": "feedback.rest.schema.Schema",
    "DEFAULT_THROTTLE_CLASSES": ["macros.api.rate.CallerRate"],
    "EXCEPTION_HANDLER": "feedback.rest.problems.handle",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
ABOUT = """What a person does in the admin, for programs.

* **Who calls**: an API key in the header `Authorization: Bearer ch_...`, or the admin's
  session. What the caller may not see does not exist: 404.
* **Lists** come in pages, the newest first: follow `next`. A parameter that is unknown
  or empty is refused.
* **Changes** take `If-Match`, so that nobody undoes another's. Every POST takes
  `Idempotency-Key`, so that it can be sent again.
* **Errors** are problem details (RFC 9457). `code` is for programs; `errors` name the
  parameter, the header or the member of the body.
"""
TAGS = {
    "api-keys": "What is known of API keys; they are made in the admin.",
    "attachments": "Files on tickets.",
    "attempts": "Every try of deliveries.",
    "audit": "Who did what, and when. Nobody can change it.",
    "calls": "Calls from outside, as they came to listeners.",
    "comments": "What was said on tickets.",
    "communities": "The tenants: each owns projects, testers and API keys.",
    "deliveries": "One request, e-mail or change of a run for one ticket or tester,"
    " with every attempt.",
    "destinations": "Where requests go: how each stands, and how fast it is sent to.",
    "events": "What became of what was in calls.",
    "feedback": "Tickets.",
    "filters": "Conditions that are saved under a name.",
    "lookups": "Addresses at which programs read one record.",
    "members": "Who works in a community, and in which roles.",
    "listeners": "URLs that other programs call, and what happens then.",
    "macros": "What is done with a ticket or tester, step by step.",
    "packages": "Tables that spreadsheets and BI tools read.",
    "projects": "Tests or programs in a community.",
    "runs": "A macro at work on many tickets or testers: start, follow, pause, cancel,"
    " send again.",
    "schedules": "What starts runs by the clock.",
    "secrets": "Values that macros use and nobody can read.",
    "sources": "URLs to which other programs send tickets of one type.",
    "testers": "Those who submit tickets.",
    "triggers": "What starts runs when something changes.",
    "types": "Kinds of tickets, each with its statuses and its form.",
    "versions": "What macros were like each time they were saved.",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "CenterHook API",
    "DESCRIPTION": ABOUT,
    "TAGS": [{"name": name, "description": text} for name, text in TAGS.items()],
    "OAS_VERSION": "3.1.1",
    # Tests hold the schema; making it takes a second, and tells operators nothing.
    "ENABLE_DJANGO_DEPLOY_CHECK": False,
    "VERSION": "1",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    # What goes in and what comes out have different members.
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "SubjectKindEnum": "feedback.models.SubjectKind",
        "LookupKindEnum": "feedback.models.LookupKind",
        "RunStateEnum": "logs.models.RunState",
        "DeliveryStateEnum": "logs.models.DeliveryState",
        "ResendEnum": "logs.models.Resend",
        "ErrorClassEnum": "logs.models.ErrorClass",
        "CallStateEnum": "macros.models.CallState",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "feedback.rest.schema_refusals.complete",
        "centerhook.api_examples.add",
    ],
}
