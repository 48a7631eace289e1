from . import api_keys, communities, key_uses, members, testers, tickets, types

__all__ = [
    "api_keys",
    "communities",
    "key_uses",
    "members",
    "testers",
    "tickets",
    "types",
]
