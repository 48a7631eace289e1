"""From a delivery that is due to what is sent for it, or to why nothing can be."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings
from django.db import Error
from django.utils import timezone

from feedback.changes import Change
from feedback.formats import NewerFormat
from feedback.models import Feedback, SubjectKind, Tester
from logs.models import Attempt, Cause, Delivery, ErrorClass, Resend, Run, RunChange
from logs.recording import Outcome

from ..auth.authentication import Forbidden
from ..http import TransportError, origin_of
from ..listeners.payloads import Payload
from ..steps.compiled import Outgoing, Transport
from ..steps.errors import TooLarge
from ..steps.rendering import Plan, context_for
from ..steps.replay import sent_before
from ..tags import RenderContext, RenderError
from . import outcomes
from .sender import Exchange, MailExchange
from .throttle import Throttle, Throttles

logger = logging.getLogger(__name__)

# Before another worker is asked for what a newer version has written, in seconds.
NEWER_WAIT = 5.0
_FAULT = (
    "The request could not be built, by a fault inside CenterHook; its log says more."
)
_GONE = {
    SubjectKind.FEEDBACK: "was deleted",
    SubjectKind.TESTER: "was deleted or erased",
}


@dataclass(slots=True, eq=False)
class Sending:
    """A delivery's exchange, from when it is built until its outcome is known."""

    delivery: Delivery
    exchange: Exchange
    throttle: Throttle


class Builder:
    """Builds what is sent for the deliveries of one run."""

    def __init__(self, run: Run, plan: Plan, throttles: Throttles) -> None:
        self._run = run
        self._plan = plan
        self._throttles = throttles
        self._subjects: dict[int, Feedback | Tester] = {}
        self._changes: dict[int, RunChange] = {}
        self._sent_before: dict[int, Attempt] = {}
        self._payload: Payload | None = None

    def load(self, deliveries: list[Delivery]) -> None:
        """Read at once what building them takes."""
        pks = [delivery.subject_id for delivery in deliveries]
        self._subjects.update(self._plan.load_subjects(pks))
        self._changes.update(self._plan.load_changes(self._run, pks))
        self._sent_before.update(sent_before(deliveries))
        if self._payload is None:
            self._payload = self._plan.load_payload(self._run)

    def forget(self, deliveries: Iterable[Delivery]) -> None:
        for delivery in deliveries:
            self._subjects.pop(delivery.subject_id, None)
            self._changes.pop(delivery.subject_id, None)

    def build(self, delivery: Delivery) -> Sending | Outcome:
        """What cannot be built is an outcome: it would fail the next time as well."""
        try:
            return self._built(delivery)
        except NewerFormat as error:
            logger.warning("Delivery %s: %s", delivery.pk, error)
            return outcomes.given_back(delivery, NEWER_WAIT)
        except TooLarge as error:
            return self._refused(delivery, str(error), ErrorClass.TOO_LARGE)
        except Forbidden as error:
            return self._refused(delivery, str(error), ErrorClass.BLOCKED)
        except RenderError as error:
            return self._refused(delivery, str(error), ErrorClass.RENDER)
        except TransportError as error:
            return self._refused(delivery, error.message, ErrorClass(error.kind))
        except Error:
            raise  # The database's, which the engine repeats.
        except Exception:
            logger.exception(
                "Delivery %s: a fault while it was built",
                delivery.pk,
                extra={"run": delivery.run_id, "delivery": delivery.pk},
            )
            return self._refused(delivery, _FAULT, ErrorClass.RENDER)

    def _built(self, delivery: Delivery) -> Sending | Outcome:
        step = self._plan.steps[delivery.step]
        context = self._context(delivery)
        if delivery.resend == Resend.SAME:
            step = step.repeat(self._sent_before.pop(delivery.pk, None))
        built = step.build(context)
        if isinstance(built, Change):
            return outcomes.of_change(delivery, built, context.now)
        if built.transport is Transport.MAIL:
            exchange: Exchange = MailExchange(built.request, built.masked)
            return Sending(delivery, exchange, self._throttles.mail)
        sending = self._request(delivery, built)
        if step.returns:
            sending.exchange.max_bytes = settings.RESPONSE_MAX_BYTES
        return sending

    def _context(self, delivery: Delivery) -> RenderContext:
        subject = self._subjects.get(delivery.subject_id)
        if subject is None:
            kind = self._plan.subject_kind
            gone = f"The {kind.label.lower()} {_GONE[kind]}"
            raise RenderError(None, f"{gone} before the request was built.")
        secrets, now = self._plan.vault.values, timezone.now()
        change = self._changes.get(delivery.subject_id)
        is_heard = self._run.cause == Cause.LISTENER
        if is_heard and self._payload is None and self._plan.reads_payload:
            raise RenderError(None, "What the call said is kept no more.")
        return context_for(
            subject, self._run, delivery.pk, now, secrets, change, self._payload
        )

    def _request(self, delivery: Delivery, built: Outgoing) -> Sending:
        is_echo = self._run.is_echo
        origin = origin_of(built.request.url)
        # An echo waits for nobody, and nobody for it.
        toward = "" if is_echo else origin
        throttle = self._throttles.get(self._run.community_id, toward)
        row = throttle.destination
        exchange = Exchange(built.request, built.masked, is_echo)
        exchange.credentials = built.credentials
        exchange.tls = self._plan.tls_for(row)
        exchange.is_inside = row is not None and row.allows_inside
        return Sending(delivery, exchange, throttle)

    def _refused(
        self, delivery: Delivery, message: str, error_class: ErrorClass
    ) -> Outcome:
        message = self._plan.vault.redact(message)
        return outcomes.not_sent(delivery, message, error_class, timezone.now())
