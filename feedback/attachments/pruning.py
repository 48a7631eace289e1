"""Files without a row: of a transaction that was undone, of a process that was killed.

A day's folder is looked at each time, so that the clock never stops for long.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta

from django.core.files.storage import Storage
from django.utils import timezone

from ..models import Attachment
from ..models.attachments import storage

logger = logging.getLogger(__name__)

# A file may be this much older than its row, which is committed later.
GRACE = timedelta(hours=24)
# All folders are gone through so often.
EVERY = timedelta(hours=24)
_CHUNK = 500


class _Round:
    """Where this process is in its way through the folders."""

    folders: Iterator[str] = iter(())
    begun_at: datetime | None = None


def prune() -> int:
    """Look at the next folder; how many files went."""
    now = timezone.now()
    folder = next(_Round.folders, None)
    if folder is None:
        if _Round.begun_at is not None and now - _Round.begun_at < EVERY:
            return 0
        _Round.begun_at, _Round.folders = now, folders(storage())
        folder = next(_Round.folders, None)
    return 0 if folder is None else prune_folder(folder)


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


def prune_folder(folder: str) -> int:
    store, gone = storage(), 0
    try:
        names = [f"{folder}/{name}" for name in store.listdir(folder)[1]]
    except FileNotFoundError:
        return 0
    for start in range(0, len(names), _CHUNK):
        chunk = names[start : start + _CHUNK]
        rows = Attachment.objects.filter(file__in=chunk)
        for name in {*chunk} - {*rows.values_list("file", flat=True)}:
            if timezone.now() - store.get_modified_time(name) > GRACE:
                store.delete(name)
                gone += 1
    if gone:
        logger.info("%s files without an attachment were deleted in %s", gone, folder)
    return gone
