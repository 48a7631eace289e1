"""The same request again: what the log has of it, with headers built anew.

Headers are not taken from the log, where their credentials are masked.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from logs.models import Attempt, Delivery, Resend
from logs.redaction import MASK

from ..tags import RenderError, Template
from . import emails
from .emails import EmailTemplate
from .rendering import RequestTemplate


def sent_before(deliveries: Iterable[Delivery]) -> dict[int, Attempt]:
    """By delivery, the attempt whose request is to be sent again."""
    same = [each.pk for each in deliveries if each.resend == Resend.SAME]
    if not same:
        return {}
    sent = Attempt.objects.last_sent().filter(delivery__in=same)
    rows = sent.only("delivery", "method", "url", "request_headers", "request_body")
    return {attempt.delivery_id: attempt for attempt in rows}


def again(
    step: RequestTemplate | EmailTemplate, sent: Attempt | None
) -> RequestTemplate | EmailTemplate:
    """The step, bound to a request that was sent. Raises RenderError."""
    if sent is None or sent.is_emptied:
        raise RenderError(None, "The request is on the log no more. Build it anew.")
    if MASK in sent.url or MASK in sent.request_body:
        raise RenderError(
            None, "The request held a secret, and logs keep none. Build it anew."
        )
    if isinstance(step, EmailTemplate):
        if MASK in sent.request_headers:
            raise RenderError(
                None, "The subject held a secret, and logs keep none. Build it anew."
            )
        return emails.as_sent(sent.url, sent.request_headers, sent.request_body)
    body = None if step.body is None else Template.literal(sent.request_body)
    url = Template.literal(sent.url)
    return replace(step, method=sent.method, url=url, body=body)
