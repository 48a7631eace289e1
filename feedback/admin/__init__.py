from . import communities, testers, tickets, types

__all__ = ["communities", "testers", "tickets", "types"]
