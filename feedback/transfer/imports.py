"""An import from its file to its end, a part at a time.

The file is read first: see `intake`. Then each part is one transaction, which also says
that it is done: whoever is killed on the way, the next worker goes on with the next
part, no row is written twice, and none half.
"""

from __future__ import annotations

import time
from datetime import timedelta

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from ..changes import Origin
from ..models import Community
from ..models.imports import AT_WORK, ImportPart, ImportState, TicketImport
from . import intake
from .columns import TypeColumns
from .errors import FileUnreadable
from .rows import Part

# Parts are worked on.
_WRITING = (ImportState.CHECKING, ImportState.IMPORTING)
# Files of this many rows are worked on while the person waits.
AT_ONCE = 500
# Seconds after which an import that nobody works on is taken up again.
_SILENT = timedelta(seconds=15)
# The rows of others' people are not kept longer.
KEPT = timedelta(days=7)


def finish(row: TicketImport) -> None:
    """Go on to the end of what it is at."""
    while go_on(row.pk):
        pass
    row.refresh_from_db()


def work(pk: int, seconds: float) -> bool:
    """Go on for some seconds; whether there is more to do."""
    ends = time.monotonic() + seconds
    while is_unfinished := go_on(pk):
        if time.monotonic() > ends:
            break
    return is_unfinished


def start(row: TicketImport) -> bool:
    """From a check to the import itself; False where it was not checked."""
    with transaction.atomic():
        checked = TicketImport.objects.filter(pk=row.pk, state=ImportState.CHECKED)
        zeros = dict.fromkeys(("position", "created", "updated", "unchanged"), 0)
        begun = checked.update(state=ImportState.IMPORTING, refused=0, **zeros)
        if begun:
            row.parts.update(is_done=False)
    return bool(begun)


def abort(row: TicketImport) -> bool:
    """After the part that is at work now. What is imported stays."""
    rows = TicketImport.objects.filter(pk=row.pk).exclude(state=ImportState.DONE)
    stopped = rows.update(state=ImportState.ABORTED, upload=None)
    return bool(stopped)


def stop_unread(community: Community) -> None:
    """Nobody can look for a person in a file that is not read yet."""
    rows = TicketImport.objects.filter(feedback_type__project__community=community)
    for pk in rows.filter(state=ImportState.READING).values_list("pk", flat=True):
        intake.refuse(
            pk,
            "A tester was erased before the file was read. Take them out of it, and"
            " import it again.",
        )


def due() -> list[int]:
    """Those that nobody works on, though they are not at an end."""
    silent = Q(worked_at=None) | Q(worked_at__lt=timezone.now() - _SILENT)
    rows = TicketImport.objects.filter(silent, state__in=AT_WORK)
    return list(rows.order_by("pk").values_list("pk", flat=True)[:20])


def prune() -> None:
    """Delete a few of those that are older than is kept."""
    old = TicketImport.objects.filter(created_at__lt=timezone.now() - KEPT)
    for row in old.exclude(state__in=AT_WORK).order_by("pk")[:2]:
        row.delete()


def go_on(pk: int) -> bool:
    """Do the next part; whether there may be another."""
    if TicketImport.objects.filter(pk=pk, state=ImportState.READING).exists():
        return intake.go_on(pk)
    return _do_next(pk)


@transaction.atomic
def _do_next(pk: int) -> bool:
    rows = TicketImport.objects.select_for_update(of=("self",), skip_locked=True)
    row = rows.filter(pk=pk, state__in=_WRITING).first()
    if row is None:
        return False
    part = row.parts.filter(is_done=False).order_by("start").first()
    if part is None:
        is_checked = row.state == ImportState.CHECKING
        row.state = ImportState.CHECKED if is_checked else ImportState.DONE
        row.save(update_fields=["state"])
        return False
    try:
        _do(row, part)
    except FileUnreadable as error:
        # Somebody has changed the form meanwhile.
        row.state, row.note = ImportState.ABORTED, f"Stopped: {error}"
        row.save(update_fields=["state", "note"])
        return False
    return True


def _do(row: TicketImport, part: ImportPart) -> None:
    of = TypeColumns(row.feedback_type)
    cells = [(number, texts) for number, texts in part.rows]
    work = Part(of, of.read(row.header), cells)
    kept = [fault for fault in part.faults if not fault[1]]
    work.refuse({number: sentence for number, _, sentence in kept})
    if row.state == ImportState.CHECKING:
        counts = work.check()
    else:
        counts = work.write(Origin(actor=row.by), f"import {row.pk}")
    part.faults = [*kept, *work.faults]
    part.is_done = True
    part.save(update_fields=["faults", "is_done"])
    TicketImport.objects.filter(pk=row.pk).update(
        position=F("position") + len(part.rows),
        created=F("created") + counts.created,
        updated=F("updated") + counts.updated,
        unchanged=F("unchanged") + counts.unchanged,
        refused=F("refused") + counts.refused,
        worked_at=timezone.now(),
    )
