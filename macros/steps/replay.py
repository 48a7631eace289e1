"""The same request again: what the log has of it.

How a step sends it is up to `CompiledStep.repeat()`.
"""

from __future__ import annotations

from collections.abc import Iterable

from logs.models import Attempt, Delivery, Resend


def sent_before(deliveries: Iterable[Delivery]) -> dict[int, Attempt]:
    """Maps delivery to the attempt whose request is to be sent again."""
    same = [each.pk for each in deliveries if each.resend == Resend.SAME]
    if not same:
        return {}
    sent = Attempt.objects.last_sent().filter(delivery__in=same)
    return {attempt.delivery_id: attempt for attempt in sent.with_texts()}
