from . import deliveries, destinations, runs

__all__ = ["deliveries", "destinations", "runs"]
