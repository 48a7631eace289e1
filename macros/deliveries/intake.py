"""What of an exchange may be shown, and what its return values are."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings

from feedback.texts import storable
from logs.models import Attempt, Cut, ErrorClass
from logs.redaction import Echoes, credentials_in

from ..extraction import Reading
from ..http import Response, text_of
from ..steps.rendering import Plan
from .capture import Capture, captures_of
from .sender import Exchange


@dataclass(frozen=True, slots=True)
class Masking:
    """Secrets are masked wherever they stand, as in an echo of the request."""

    echoes: tuple[Echoes, ...]

    @classmethod
    def of(cls, exchange: Exchange, plan: Plan) -> Masking:
        request = exchange.request
        credentials = credentials_in(request.headers, request.url)
        both = plan.vault.echoes, credentials
        return cls(tuple(each for each in both if each.forms))

    def mask_attempt(self, attempt: Attempt) -> None:
        joined = "\0".join(attempt.all_texts())
        for echoes in self.echoes:
            if echoes.may_be_in(joined):
                attempt.change_texts(echoes.redact)
        if attempt.response_cut:
            attempt.response_body = self.redact_end(attempt.response_body)

    def redact(self, text: str) -> str:
        for echoes in self.echoes:
            text = echoes.redact(text)
        return text

    def redact_end(self, text: str) -> str:
        """For a text that was cut, and may end in a part of a secret."""
        for echoes in self.echoes:
            text = echoes.redact_end(text)
        return text


def take_response(attempt: Attempt, response: Response) -> None:
    """The response as far as it is logged, which may be less than was read of it."""
    body, cut = response.body, response.cut
    if len(body) > settings.RESPONSE_LOG_BYTES:
        body, cut = body[: settings.RESPONSE_LOG_BYTES], "size"
    attempt.response_body = storable(text_of(body, response.fields))
    attempt.response_cut = cut


def take_values(
    attempt: Attempt, response: Response, plan: Plan, step: int, masking: Masking
) -> Capture:
    """Read all return values, and say on the attempt what is missing."""
    cut = Cut(response.cut).label if response.cut else ""
    reading = Reading(
        response.status_code,
        response.fields,
        _readable(attempt, response, masking),
        cut,
        masking.redact,
    )
    capture = captures_of(plan.steps[step].returns, reading)
    for each in capture.values:
        each.stops_at = plan.next_in_need(step, [each.key]) if each.required else None
    if capture.missing:
        attempt.error_class = ErrorClass.VALUE
        capture.stops_at = plan.next_in_need(step, capture.missing)
        capture.problems.append(_what_follows(capture.stops_at))
    attempt.message = "\n".join(filter(None, [attempt.message, *capture.problems]))
    return capture


def lack_all(attempt: Attempt, plan: Plan, step: int) -> int | None:
    """Nothing could be read of an accepted response: required values are missing."""
    required = [each.name for each in plan.steps[step].returns if each.required]
    if not required or attempt.error_class:
        return None
    attempt.error_class = ErrorClass.VALUE
    return plan.next_in_need(step, required)


def only_show(attempt: Attempt, capture: Capture) -> None:
    """What a test would store is shown on its attempt, and goes nowhere."""
    lines = (f"Would be stored: {each}" for each in capture.values)
    attempt.message = "\n".join(filter(None, [attempt.message, *lines]))
    capture.values = []


def _readable(attempt: Attempt, response: Response, masking: Masking) -> str:
    """The whole body as it would be logged, so that no secret is picked out of it."""
    if len(response.body) <= settings.RESPONSE_LOG_BYTES:
        return attempt.response_body
    text = masking.redact(storable(text_of(response.body, response.fields)))
    return masking.redact_end(text) if response.cut else text


def _what_follows(stops_at: int | None) -> str:
    if stops_at is None:
        return ACCEPTED
    return f"{ACCEPTED} Step {stops_at + 1} needs it, and is skipped with all after it."


ACCEPTED = (
    "The system has accepted the request, so it counts as delivered, with a problem,"
    " and is not sent again by itself."
)
