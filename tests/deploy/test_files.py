"""What operators copy is whole, and says what the code says."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from runpy import run_path
from typing import Any

import pytest
import yaml
from gunicorn.http.message import MAX_REQUEST_LINE

from centerhook import __version__
from centerhook.demo import gunicorn_settings
from centerhook.health import probes

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
MANIFESTS = list(
    yaml.safe_load_all((DEPLOY / "kubernetes/centerhook.yaml").read_text())
)
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
KNOWN = {"web": "gunicorn", "worker": "manage.py worker", "clock": "manage.py clock"}


def test_the_demos_web_server_takes_urls_as_long_as_the_deployed_one_does() -> None:
    limit = run_path(str(DEPLOY / "gunicorn.py"))["limit_request_line"]
    assert limit == gunicorn_settings.limit_request_line
    # The greatest that gunicorn keeps to.
    assert limit == MAX_REQUEST_LINE
    assert f"{limit:,} bytes" in (ROOT / "docs" / "api.md").read_text()


def containers() -> list[tuple[str, dict[str, Any]]]:
    return [
        (row["metadata"]["name"], container)
        for row in MANIFESTS
        if row["kind"] in ("Deployment", "Job")
        for container in row["spec"]["template"]["spec"]["containers"]
    ]


def instructions() -> list[tuple[str, str]]:
    text = (DEPLOY / "Dockerfile").read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(line.split()[0], line.partition(" ")[2].strip()) for line in lines]


def test_the_image_runs_as_nobody_and_holds_no_tools() -> None:
    stages = [n for n, (word, _) in enumerate(instructions()) if word == "FROM"]
    last = instructions()[stages[-1] :]
    assert ("USER", "10001:10001") in last
    assert [words for word, words in last if "pip" in words or "apt-get" in words] == []
    assert "HEALTHCHECK" in {word for word, _ in last}
    [command] = [words for word, words in last if word == "CMD"]
    assert "gunicorn" in command


def test_the_image_is_copied_from_what_is_there_and_let_in() -> None:
    sources = [
        source
        for word, words in instructions()
        if word == "COPY" and "--from" not in words
        for source in words.split()[:-1]
    ]
    assert {"centerhook", "feedback", "macros", "logs", "templates"} <= set(sources)
    let_in = (ROOT / ".dockerignore").read_text().splitlines()
    for source in sources:
        assert (ROOT / source).exists() and f"!{source}" in let_in, source


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_the_units_are_understood_by_systemd(unit: Path, tmp_path: Path) -> None:
    """With the folder of the installation made up, as it is on no machine of tests."""
    if shutil.which("systemd-analyze") is None:
        # What is asked without it: the lines that every unit needs.
        assert "ExecStart=/opt/centerhook/" in unit.read_text()
        return
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    text = re.sub(r"/opt/centerhook/\.venv/bin/\w+", str(program), unit.read_text())
    copy = tmp_path / unit.name
    copy.write_text(text)
    verified = subprocess.run(
        ["systemd-analyze", "verify", str(copy)], capture_output=True, text=True
    )
    assert [line for line in verified.stderr.splitlines() if unit.stem in line] == []


def test_every_process_is_there_in_each_way_to_run_it() -> None:
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    units = {unit.stem.removeprefix("centerhook-").strip("@") for unit in UNITS}
    pods = {name.removeprefix("centerhook-") for name, _ in containers()}
    for name, command in KNOWN.items():
        assert name in compose and name in units and name in pods
        own = " ".join(compose[name].get("command", ["gunicorn"]))
        assert own.endswith(command)
    for name in ("web", "worker", "clock", "migrate"):
        assert compose[name]["read_only"] is True
        assert compose[name]["cap_drop"] == ["ALL"]


def test_the_manifests_have_probes_limits_and_no_rights() -> None:
    assert len(containers()) == 4
    for name, container in containers():
        assert container["image"] == f"centerhook:{__version__}", name
        rights = container["securityContext"]
        assert rights["runAsNonRoot"] and rights["readOnlyRootFilesystem"]
        assert not rights["allowPrivilegeEscalation"]
    web = dict(containers())["centerhook-web"]
    for probe in ("livenessProbe", "readinessProbe"):
        path, _, query = web[probe]["httpGet"]["path"].partition("?")
        assert path in probes.URLS
        assert query in ("", *(f"exclude={part}" for part in probes.PARTS))


def test_what_points_at_something_points_at_what_is_there() -> None:
    named = {(row["kind"], row["metadata"]["name"]) for row in MANIFESTS}
    labels = [
        row["spec"]["template"]["metadata"]["labels"]
        for row in MANIFESTS
        if row["kind"] == "Deployment"
    ]
    for row in MANIFESTS:
        selector = row["spec"].get("selector", {})
        if selector:
            assert selector.get("matchLabels", selector) in labels
        if row["kind"] == "HorizontalPodAutoscaler":
            scaled = row["spec"]["scaleTargetRef"]
            assert (scaled["kind"], scaled["name"]) in named
            metric = row["spec"]["metrics"][0]["external"]["metric"]["name"]
            assert metric in (ROOT / "docs" / "metrics.md").read_text()
