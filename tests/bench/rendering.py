"""How fast requests are rendered: compiled once, in one process, without a network."""

from __future__ import annotations

import time
from datetime import UTC, datetime

_ROUNDS = 9
_EACH = 4_000
_URL = "https://hooks.slack.com/services/T0/B0/x"
# 2 KB, with what has to be escaped.
_PART = 'I tap "Log in" & nothing <happens>, grüße 🙂.\nThen it says: error 17.\n'


def slack_per_second() -> float:
    """Requests of the preset Slack with Block Kit for a ticket with 2 KB of text.

    By the process's CPU time, the best of some rounds: others on the machine only slow
    it down.
    """
    from feedback.models import Feedback
    from logs.models import Run
    from macros.authoring.presets import all_presets, fill
    from macros.models import Vault
    from macros.steps.kinds.web_request import WebRequest
    from macros.steps.rendering import context_for
    from macros.tags import Scope
    from tests import factories

    of = factories.feedback_type()
    description = (_PART * 40)[:2_000]
    assert len(description.encode()) > 2_048
    made = factories.ticket(of, description=description, submitter=factories.tester(of))
    ticket = Feedback.objects.select_related("status", "submitter").get(pk=made.pk)
    preset = all_presets()["slack-blocks"]
    [fields] = fill(preset, {}, {"slack_url": "slack_url"})
    step = WebRequest(**fields).snapshot()
    template = WebRequest.compile(step, Scope.of([], ["slack_url"]))
    template.unlock(Vault({"slack_url": _URL}))
    run = Run(key="0" * 32, macro_name="Slack")

    def render(times: int) -> float:
        begun = time.process_time()
        for pk in range(times):
            now = datetime.now(UTC)
            template.render(context_for(ticket, run, pk, now, template.vault.values))
        return times / (time.process_time() - begun)

    render(500)
    return max(render(_EACH) for _ in range(_ROUNDS))
