"""The table of listener presets in docs/presets.md.

`DJANGO_SETTINGS_MODULE=centerhook.settings python -m tests.presets.listener_table`
prints it.
"""

from __future__ import annotations

from collections.abc import Iterator


def rows() -> Iterator[str]:
    from macros.listeners.presets import all_presets
    from macros.models import Scheme

    for preset in all_presets().values():
        listener = preset.listener
        ways = [str(Scheme(each["scheme"]).label) for each in listener["checks"]]
        asked = [each.label for each in preset.settings]
        asked += [preset.secret.label] if preset.secret else []
        names = [f"`{name}`" for name in listener.get("names", "").splitlines()]
        cells = [
            f"[{preset.vendor}]({preset.documentation})",
            f"`{preset.id}`",
            preset.summary,
            ", ".join(ways),
            ", ".join(names) or "all",
            f"`{listener['id_at']}`" if listener.get("id_at") else "-",
            ", ".join(asked) or "-",
        ]
        yield f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    import django

    django.setup()
    print("\n".join(rows()))
