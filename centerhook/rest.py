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
SPECTACULAR_SETTINGS = {
    "TITLE": "CenterHook API",
    "OAS_VERSION": "3.1.1",
    "VERSION": "1",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "ENUM_NAME_OVERRIDES": {
        "RunStateEnum": "logs.models.RunState",
        "DeliveryStateEnum": "logs.models.DeliveryState",
        "ErrorClassEnum": "logs.models.ErrorClass",
        "CallStateEnum": "macros.models.CallState",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "feedback.rest.schema.add_problems",
    ],
}
