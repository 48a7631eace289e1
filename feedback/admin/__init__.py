from . import communities, members, testers, tickets, types

__all__ = ["communities", "members", "testers", "tickets", "types"]
