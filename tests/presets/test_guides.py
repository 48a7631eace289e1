"""docs/systems.md is what the presets say, system by system."""

from __future__ import annotations

from pathlib import Path

from tests.presets.guides import guides

PAGE = Path(__file__).resolve().parents[2] / "docs" / "systems.md"


def test_the_guides_are_in_step_with_the_presets() -> None:
    text = PAGE.read_text("utf-8")
    _, heading, rest = text.partition("\n## ")
    assert (heading + rest).strip() == guides().strip(), (
        "run: python -m tests.presets.guides"
    )


def test_every_system_has_one_and_any_other_is_mentioned() -> None:
    text = guides()
    for vendor in ("Jira", "Slack", "Salesforce", "Stripe", "GitHub", "Zendesk"):
        assert text.count(f"## {vendor}\n") == 1
    assert "Any system" not in text
