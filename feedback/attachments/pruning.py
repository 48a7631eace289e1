"""Files without a row: of a transaction that was undone, of a process that was killed.

A day's folder is looked at each time, so that the clock never stops for long.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

from django.core.files.storage import Storage
from django.db.models import Model
from django.utils import timezone

from ..models import Attachment, Snapshot
from ..models.attachments import storage
from ..models.packages import storage as storage_of_packages

logger = logging.getLogger(__name__)

# A file may be this much older than its row, which is committed later.
GRACE = timedelta(hours=24)
# All folders are gone through so often.
EVERY = timedelta(hours=24)
_CHUNK = 500


class Round:
    """Where this process is in its way through the folders of one model's files."""

    def __init__(self, model: type[Model], storage: Callable[[], Storage]) -> None:
        self.model = model
        self.storage = storage
        self.folders: Iterator[str] = iter(())
        self.begun_at: datetime | None = None

    def go_on(self) -> int:
        """Look at the next folder; how many files went."""
        now = timezone.now()
        folder = next(self.folders, None)
        if folder is None:
            if self.begun_at is not None and now - self.begun_at < EVERY:
                return 0
            self.begun_at, self.folders = now, folders(self.storage())
            folder = next(self.folders, None)
        return 0 if folder is None else self.prune_folder(folder)

    def prune_folder(self, folder: str) -> int:
        store, gone = self.storage(), 0
        try:
            names = [f"{folder}/{name}" for name in store.listdir(folder)[1]]
        except FileNotFoundError:
            return 0
        for start in range(0, len(names), _CHUNK):
            chunk = names[start : start + _CHUNK]
            rows: Any = self.model._default_manager.filter(file__in=chunk)
            for name in {*chunk} - {*rows.values_list("file", flat=True)}:
                if timezone.now() - store.get_modified_time(name) > GRACE:
                    store.delete(name)
                    gone += 1
        if gone:
            noun = self.model._meta.verbose_name
            logger.info("%s files without %s were deleted in %s", gone, noun, folder)
        return gone


ATTACHMENTS = Round(Attachment, storage)
SNAPSHOTS = Round(Snapshot, storage_of_packages)


def prune() -> int:
    """Look at the next folder of each; how many files went."""
    return ATTACHMENTS.go_on() + SNAPSHOTS.go_on()


def folders(store: Storage, path: str = "", depth: int = 3) -> Iterator[str]:
    """Those of days, `2026/11/26`."""
    if not depth:
        yield path
        return
    try:
        below = sorted(store.listdir(path)[0])
    except (FileNotFoundError, NotImplementedError):
        return
    for name in below:
        yield from folders(store, f"{path}/{name}" if path else name, depth - 1)
