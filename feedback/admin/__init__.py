from . import (
    api_keys,
    communities,
    key_uses,
    lookups,
    members,
    packages,
    saved_filters,
    sources,
    testers,
    tickets,
    types,
)

__all__ = [
    "api_keys",
    "communities",
    "key_uses",
    "lookups",
    "members",
    "packages",
    "saved_filters",
    "sources",
    "testers",
    "tickets",
    "types",
]
