"""A ticket from a call of an external source, in one transaction."""

from __future__ import annotations

from collections.abc import Mapping

from ..attachments.adding import Checked, FileRefused, add, check
from ..changes import Origin, unit
from ..changes.rivals import once_more
from ..changes.signals import saved
from ..models import ExternalSource, Feedback, FeedbackType, SourceTicket, Tester
from .faults import Faults, SubmissionRefused
from .members import Files, Members
from .reading import Submission, read


class KeyReused(Exception):
    """The idempotency key belongs to a call that said something else."""


class TicketGone(Exception):
    """The call made a ticket, which was deleted since."""


@once_more
def submit(
    source: ExternalSource, sent: Mapping[str, object], key: str, fingerprint: str
) -> Feedback:
    """The ticket of this call, or of the earlier one of the same idempotency key.

    Without a key each call makes one; the files of a form are its attachments. Raises
    SubmissionRefused, KeyReused, TicketGone; nothing is written then.
    """
    files = _files(sent)
    with unit(Origin(actor=f"Source {source.name}")):
        if key:
            # Calls of one type go one by one from here on, so that a second of the same
            # key sees the ticket of the first. Their numbers would wait all the same.
            types = FeedbackType.objects.select_for_update(no_key=True)
            types.get(pk=source.feedback_type_id)
            calls = SourceTicket.objects.filter(source=source, idempotency_key=key)
            if known := calls.select_related("feedback").first():
                return _same(known, fingerprint)
        ticket = _made(source, read(Members(source), sent))
        SourceTicket.objects.create(
            source=source,
            feedback=ticket,
            idempotency_key=key,
            fingerprint=fingerprint,
        )
        add(ticket, files, by=f"Source {source.name}")
    return ticket


def _files(sent: Mapping[str, object]) -> list[Checked]:
    """Those that may be stored; the first that may not is named."""
    checked: list[Checked] = []
    for name, value in sent.items():
        if isinstance(value, Files):
            try:
                checked += check(value, None, beside=len(checked))
            except FileRefused as refusal:
                faults = Faults()
                faults.add([name], str(refusal))
                raise SubmissionRefused(faults) from refusal
    return checked


def _same(known: SourceTicket, fingerprint: str) -> Feedback:
    if known.fingerprint != fingerprint:
        raise KeyReused("This key was used for a call that said something else.")
    if known.feedback is None:
        raise TicketGone("The ticket that this call made was deleted.")
    return known.feedback


def _made(source: ExternalSource, submission: Submission) -> Feedback:
    note = f"Through the source {source.name}."
    submitter = submission.submitter
    if submitter is not None and submitter.pk is None:
        submitter.save()
        saved.send(Tester, before=None, after=submitter, parts=[], note=note)
    ticket = Feedback(
        feedback_type=source.feedback_type, submitter=submitter, **submission.columns
    )
    ticket.save()
    saved.send(Feedback, before=None, after=ticket, parts=[], note=note)
    return ticket
