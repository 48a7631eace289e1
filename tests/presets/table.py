"""The table of docs/presets.md: `python -m tests.presets.table` prints it."""

from __future__ import annotations

from macros.authoring.presets import Preset, all_presets


def row(preset: Preset) -> str:
    asked = ", ".join(each.label for each in (*preset.settings, *preset.secrets))
    kept = ", ".join(f"`{name}`" for name in preset.returned) or "-"
    rate = preset.rate
    words = f"{rate.requests} in {rate.seconds} s" if rate else ""
    most = f"[{words}]({rate.documentation})" if rate else "-"
    vendor = f"[{preset.vendor}]({preset.documentation})"
    return f"| `{preset.id}` | {preset.title} | {vendor} | {asked} | {kept} | {most} |"


if __name__ == "__main__":
    print("\n".join(row(each) for each in all_presets().values()))
