"""Ask a macro's people, once, whether a run is meant that waits for their word."""

from __future__ import annotations

import logging

from django.core.mail import send_mail
from django.db.models import Q
from django.utils import timezone

from feedback.access.roles import PERMISSIONS, RUN_MACRO
from feedback.links import link_to
from feedback.models import Grant
from feedback.names import one_line
from logs.models import Run, RunState

logger = logging.getLogger(__name__)

_ROLES = [role for role, given in PERMISSIONS.items() if RUN_MACRO in given]


def ask() -> None:
    """Send what is due. Two clocks at once send each notice once.

    The run is marked before the mail is sent: one that a broken mail server swallows is
    in the log, and not sent again and again.
    """
    unasked = Run.objects.filter(state=RunState.UNCONFIRMED, asked_at=None)
    for run in unasked.select_related("community").defer("snapshot"):
        mine = Run.objects.filter(pk=run.pk, asked_at=None)
        if mine.update(asked_at=timezone.now()):
            _send(run)


def people_of(run: Run) -> list[str]:
    """The addresses of those who may run its macro, or else the community's."""
    grants = Grant.objects.filter(
        Q(project=None) | Q(project=run.project_id),
        role__in=_ROLES,
        member__community=run.community_id,
        member__user__is_active=True,
    )
    addresses = set(grants.values_list("member__user__email", flat=True)) - {""}
    return sorted(addresses) or run.community.alert_addresses


def _send(run: Run) -> None:
    subject = f"{run.macro_name} needs confirmation"
    text = (
        f"{run.cause_in_words} matched more than its limit, so the macro"
        f" {run.macro_name} waits with {run.total:,} deliveries. Nothing was sent.\n\n"
        "Confirm or drop it on its page:\n"
        f"{link_to(type(run), run.pk)}\n"
    )
    logger.warning("Run %s waits for confirmation", run.pk)
    addresses = people_of(run)
    if not addresses:
        return
    try:
        send_mail(one_line(subject), text, None, addresses)
    except OSError as error:
        logger.warning("The notice could not be sent: %s", error)
