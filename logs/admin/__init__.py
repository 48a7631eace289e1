from . import audit, deliveries, destinations, runs

__all__ = ["audit", "deliveries", "destinations", "runs"]
