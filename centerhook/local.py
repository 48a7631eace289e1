"""What the embedded defaults keep on this machine: keys of its own, and a socket."""

from __future__ import annotations

import base64
import hashlib
import os
import tempfile
from pathlib import Path

from django.core.management.utils import get_random_secret_key


def secret_key(folder: Path) -> str:
    """A key of this machine's own, so that the embedded defaults are safe to run."""
    folder.mkdir(exist_ok=True)
    path = folder / "secret-key"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(get_random_secret_key())
    return path.read_text()


def secrets_key(folder: Path) -> str:
    """A Fernet key of this machine's own.

    It appears as a whole file at once: what it encrypts is lost with it, so two
    processes that start together must not make two.
    """
    folder.mkdir(exist_ok=True)
    path = folder / "secrets-key"
    if not path.exists():
        descriptor, new = tempfile.mkstemp(dir=folder)  # mode 0600
        os.write(descriptor, base64.urlsafe_b64encode(os.urandom(32)))
        os.close(descriptor)
        try:
            os.link(new, path)
        except FileExistsError:
            pass
        finally:
            os.unlink(new)
    return path.read_text()


def redis_url(folder: Path) -> str:
    """The embedded server's socket, as short as a socket's path has to be (108)."""
    path = folder / "valkey.sock"
    if len(str(path)) > 100:
        digest = hashlib.sha256(str(folder).encode()).hexdigest()[:16]
        path = Path(tempfile.gettempdir()) / f"centerhook-{os.getuid()}-{digest}.sock"
    return f"unix://{path}"
