from . import (
    api_keys,
    communities,
    key_uses,
    members,
    saved_filters,
    testers,
    tickets,
    types,
)

__all__ = [
    "api_keys",
    "communities",
    "key_uses",
    "members",
    "saved_filters",
    "testers",
    "tickets",
    "types",
]
