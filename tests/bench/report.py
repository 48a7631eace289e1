"""The figures as a table for people and as one flat JSON object."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from .processes import ROOT

Figure = float | int | str
Row = tuple[str, str, str]  # a label, a key, a unit

_PATH = ROOT / "build" / "bench.json"
LISTENER_ROWS = (
    ("Calls taken by one web process", "listener_accept_per_second", "/s"),
    ("CPU per call", "listener_cpu_us", "us"),
    ("Response at 100/s, 99 of 100 within", "listener_p99_ms", "ms"),
    ("Verify", "listener_verify_us", "us"),
    ("Parse, where the response needs it", "listener_parse_us", "us"),
    ("Insert", "listener_insert_us", "us"),
    ("Respond", "listener_respond_us", "us"),
)
ROWS = (
    ("Fast receiver: ours", "delivery_fast_per_second", "/s"),
    ("Fast receiver: plain pattern", "plain_fast_per_second", "/s"),
    ("Fast receiver: ratio", "delivery_fast_ratio", "x"),
    ("100 ms receiver: ours", "delivery_100ms_per_second", "/s"),
    ("100 ms receiver: plain pattern", "plain_100ms_per_second", "/s"),
    ("100 ms receiver: ratio", "delivery_100ms_ratio", "x"),
    ("100 ms receiver: two workers / one", "two_workers_ratio", "x"),
    ("A run of 1 beside 10,000 slow ones", "beside_slow_seconds", "s"),
    ("CPU per delivery: ours", "delivery_cpu_us", "us"),
    ("CPU per delivery: ours, 100 ms", "delivery_100ms_cpu_us", "us"),
    ("CPU per delivery: plain pattern", "plain_cpu_us", "us"),
    ("CPU per bare Session().post()", "bare_post_cpu_us", "us"),
    ("CPU per delivery / bare post", "delivery_cpu_vs_bare_post", "x"),
    ("Slack blocks rendered, 2 KB of text", "render_slack_per_second", "/s"),
    ("Worker's memory at 1,000", "delivery_memory_mb", "MB"),
    ("Its memory with a secret", "delivery_secret_memory_mb", "MB"),
    ("Growth of it by the long run", "delivery_memory_growth_mb", "MB"),
    (
        "10,000 changed with 3 triggers / none",
        "bulk_edit_with_three_triggers_ratio",
        "x",
    ),
    ("Ticket saved with 10 triggers: more", "trigger_save_overhead_ms", "ms"),
    ("Saved ticket to receiver", "trigger_to_receiver_seconds", "s"),
    ("Perform Action: time", "perform_action_100k_seconds", "s"),
    ("Perform Action: memory growth", "perform_action_100k_memory_mb", "MB"),
    *LISTENER_ROWS,
)


def show(figures: Mapping[str, Figure], rows: Iterable[Row]) -> None:
    print(f"\nDatabase: {figures.get('database', 'postgresql')}")
    for label, key, unit in rows:
        value = figures.get(key)
        shown = f"{value:>12,.2f} {unit}" if isinstance(value, float) else f"{value}"
        print(f"  {label:<34}{shown}")


def write(figures: Mapping[str, Figure]) -> Path:
    """Into the file, where figures of other benchmarks stay."""
    rounded = {
        key: round(value, 3) if isinstance(value, float) else value
        for key, value in figures.items()
    }
    _PATH.parent.mkdir(exist_ok=True)
    kept = json.loads(_PATH.read_text()) if _PATH.exists() else {}
    _PATH.write_text(json.dumps(kept | rounded, indent=2) + "\n")
    return _PATH
