"""Tell a community's people, once, when a destination goes down and when it is back."""

from __future__ import annotations

import logging

from django.core.mail import send_mail

from feedback.links import link_to
from feedback.names import one_line
from logs.models import BreakerState, Destination

logger = logging.getLogger(__name__)


def announce() -> None:
    """Send what is due. Two clocks at once send each notice once.

    The notice is marked as sent before it is: one that a broken mail server swallows
    is in the log, and not sent again and again.
    """
    for destination in Destination.objects.unannounced().select_related("community"):
        is_down = destination.breaker != BreakerState.CLOSED
        changed = Destination.objects.filter(
            pk=destination.pk, is_announced_down=not is_down
        ).update(is_announced_down=is_down)
        if changed:
            _send(destination, is_down)


def _send(destination: Destination, is_down: bool) -> None:
    subject, text = _wording(destination, is_down)
    logger.warning(subject)
    addresses = destination.community.alert_addresses
    if not addresses:
        return
    try:
        send_mail(one_line(subject), text, None, addresses)
    except OSError as error:
        logger.warning("The notice could not be sent: %s", error)


def _wording(destination: Destination, is_down: bool) -> tuple[str, str]:
    link = link_to(type(destination), destination.pk)
    if not is_down:
        return (
            f"{destination} is back",
            f"Waiting deliveries are on their way.\n\n{link}\n",
        )
    return (
        f"{destination} failed {destination.consecutive_failures} times in a row",
        "Deliveries to it wait, and none is lost. One is tried now and then; when it"
        f" succeeds, the others follow by themselves.\n\n{link}\n",
    )
