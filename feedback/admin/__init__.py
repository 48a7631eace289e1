from . import communities, members, people, testers, tickets, types

__all__ = ["communities", "members", "people", "testers", "tickets", "types"]
