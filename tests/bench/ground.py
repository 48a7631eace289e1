"""What every benchmark stands on: a database, Valkey, a receiver, Django set up."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from .databases import database
from .processes import Receiver, receiving


@dataclass(frozen=True)
class Ground:
    env: dict[str, str]
    receiver: Receiver
    vendor: str


def say(text: str) -> None:
    print(text, flush=True)


@contextmanager
def prepared(folder: Path, temporary_postgres: bool) -> Iterator[Ground]:
    """All of it started, the tables made; everything is ended on the way out."""
    from centerhook.embedded import valkey

    with ExitStack() as stack:
        database_url = stack.enter_context(database(folder, temporary_postgres))
        server = valkey(folder / "valkey.sock", folder / "valkey")
        env = {
            "DJANGO_SETTINGS_MODULE": "centerhook.settings",
            "SECRET_KEY": "only-for-the-benchmark",
            "DATABASE_URL": database_url,
            "REDIS_URL": stack.enter_context(server),
            "ALLOWED_NETWORKS": "127.0.0.0/8",
            "LOG_LEVEL": "WARNING",
            "METRICS_NETWORKS": "127.0.0.0/8",
        }
        os.environ.update(env)
        import django
        from django.core.management import call_command
        from django.db import connection

        django.setup()
        call_command("migrate", verbosity=0)
        stack.callback(connection.close)
        receiver = stack.enter_context(receiving(env))
        yield Ground(env, receiver, connection.vendor)
