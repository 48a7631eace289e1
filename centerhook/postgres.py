"""Connections to PostgreSQL that notice a server that is gone, and find another."""

from __future__ import annotations

from typing import Any

# Without them a connection whose server has vanished, and says nothing, is waited for
# for hours. Seconds, but for the last, which is in milliseconds.
NOTICING = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}


def prepare(database: dict[str, Any]) -> None:
    """Completes what DATABASE_URL says; what it says itself stands."""
    given, options = database.get("OPTIONS", {}), dict[str, Any](NOTICING)
    if "," in f"{database['HOST']}{given.get('host', '')}":
        # The one among them that takes writes, whichever that is by now.
        options["target_session_attrs"] = "read-write"
        database["HOST"] = database["HOST"].replace("[", "").replace("]", "")
    database["OPTIONS"] = {**options, **given}
    database["CONN_HEALTH_CHECKS"] = True
