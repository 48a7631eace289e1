"""The guides of docs/systems.md, from the presets themselves.

`DJANGO_SETTINGS_MODULE=centerhook.settings python -m tests.presets.guides` prints them.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Any

# What is no system of its own.
ANY = "Any system"


def guides() -> str:
    from macros.authoring.presets import all_presets as senders
    from macros.listeners.presets import all_presets as hearers

    sending, hearing = senders().values(), hearers().values()
    every = {each.vendor: "" for each in chain(sending, hearing)}
    vendors = sorted(set(every) - {ANY}, key=str.lower)
    return "\n".join(
        line
        for vendor in vendors
        for line in _guide(
            vendor,
            [each for each in sending if each.vendor == vendor],
            [each for each in hearing if each.vendor == vendor],
        )
    )


def _guide(vendor: str, sending: list[Any], hearing: list[Any]) -> Iterator[str]:
    yield f"## {vendor}\n"
    if sending:
        yield "*Macros*, *Start from*:\n"
        yield from (_sender(each) for each in sending)
        needed = {
            need.label: need.help
            for preset in sending
            for need in (*preset.settings, *preset.secrets)
        }
        yield "\nHave at hand:\n"
        yield from (f"- **{label}**: {text}" for label, text in needed.items())
        yield ""
    for preset in hearing:
        yield f"*Listeners*, *From a preset*, *{preset.title}*: {preset.summary}\n"
        steps = enumerate(preset.set_up, start=1)
        yield from (f"{number}. {step}" for number, step in steps)
        yield ""


def _sender(preset: Any) -> str:
    kept = ", ".join(f"`{name}`" for name in preset.returned)
    return f"- *{preset.title}*: {preset.summary}" + (f" Keeps {kept}." if kept else "")


if __name__ == "__main__":
    import django

    django.setup()
    print(guides())
