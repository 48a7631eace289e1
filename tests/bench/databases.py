"""A database for one run of the benchmark, removed afterwards."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from .processes import ROOT

# The server lives as long as its input is open, so it can't outlive the benchmark.
_CLUSTER = """
set -e
. .ci/postgres
trap stop_postgres EXIT
start_postgres >/dev/null
echo "$POSTGRES_URL"
cat >/dev/null
"""


@contextmanager
def database(folder: Path, temporary_postgres: bool) -> Iterator[str]:
    """The URL of an empty database: a PostgreSQL of our own, or on the server that
    DATABASE_URL names; else an SQLite file."""
    given = os.environ.get("DATABASE_URL", "")
    if temporary_postgres:
        with _cluster() as url:
            yield url
    elif given.startswith("postgres"):
        with _on_server(given) as url:
            yield url
    else:
        yield f"sqlite:///{folder / 'bench.sqlite3'}"


@contextmanager
def _cluster() -> Iterator[str]:
    process = subprocess.Popen(
        ["bash", "-c", _CLUSTER],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        url = process.stdout.readline().strip() if process.stdout else ""
        if not url:
            raise RuntimeError("PostgreSQL did not start.")
        yield url
    finally:
        process.communicate()


@contextmanager
def _on_server(url: str) -> Iterator[str]:
    name = f"centerhook_bench_{os.getpid()}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield urlsplit(url)._replace(path=f"/{name}").geturl()
        finally:
            drop = sql.SQL("DROP DATABASE {} WITH (FORCE)")
            connection.execute(drop.format(sql.Identifier(name)))
