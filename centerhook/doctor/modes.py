from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.contrib.auth import get_user_model

from centerhook import installation
from centerhook.waiting import what_waits
from feedback import mode
from feedback.models import Mode

from .findings import Finding, bad, warning


def mode_now(now: datetime) -> Iterator[Finding]:
    state = mode.state()
    if state.mode == Mode.NORMAL:
        return
    if state.is_set_by_operator:
        since, door = "The setting MODE says so.", "Take MODE out of the settings."
    else:
        moment = f"{state.since:%d %B %Y, %H:%M} UTC" if state.since else "some time"
        since = f"Since {moment}, by {state.by}."
        door = "Start sending on the page Mode, or run manage.py mode normal."
    everything = get_user_model()(is_superuser=True)
    waiting = ", ".join(what_waits(everything)) or "nothing"
    rest = f"{since} Waiting: {waiting}."
    if state.mode == Mode.PAUSED:
        yield warning("paused", f"Nothing is sent: CenterHook is paused. {rest}", door)
    else:
        sentence = f"Nothing is sent, and nothing can be changed. {rest}"
        yield warning("read_only", sentence, door)


def whose(now: datetime) -> Iterator[Finding]:
    differences = installation.differences()
    names = {each.name for each in differences}
    if not names:
        return
    sentences = " ".join(each.sentence for each in differences)
    advice = (
        "If this is a backup of an installation that still runs, both would send the"
        " same: keep this one paused, and look whether DATABASE_URL is what you mean."
        " If it is meant, say so on the page Mode, or run manage.py mode --adopt."
    )
    if names == {"BASE_URL"}:
        yield warning(
            "address_changed",
            f"This database was last used at another address. {sentences}",
            advice,
        )
    else:
        yield bad(
            "another_installation",
            f"This database was last used with other keys. {sentences}",
            advice,
        )
