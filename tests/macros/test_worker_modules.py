"""What a worker loads: nothing that only pages and the API need."""

from __future__ import annotations

import subprocess
import sys

import pytest
from django.apps import apps
from django.conf import settings
from django.urls import reverse

from feedback.links import link_to

ROOT = settings.BASE_DIR

# As manage.py begins a worker, up to its first delivery.
_WORKER = """
import sys
sys.argv = ["manage.py", "worker"]
import django
django.setup()
from django.core.checks import run_checks
from centerhook.management.commands.worker import Command
run_checks(tags=Command.requires_system_checks)
import macros.jobs
from macros.deliveries import engine
from macros.steps.rendering import url_of
from feedback.models import Feedback
assert url_of(Feedback(pk=7)).endswith("/admin/feedback/feedback/7/change/")
print(*sys.modules)
"""
# Whole libraries of pages and the API.
_FRAMEWORKS = ("django.contrib.admin", "django.contrib.sessions", "rest_framework")
_FRAMEWORKS += ("drf_spectacular", "django_filters", "axes", "django_otp")
_FRAMEWORKS += ("import_export",)
_PAGES = ("feedback.admin.", "logs.admin.", "macros.admin.", "centerhook.site")
_API = ("feedback.api.", "logs.api.", "macros.api.", "centerhook.api")
# What a worker loads only where a file, a preset, a path, a pattern, a text that is too
# long, a secret, a call from outside or the start of a run needs it.
_ON_DEMAND = ("puremagic", "openpyxl", "tablib", "jsonpath", "regex")
_ON_DEMAND += ("cryptography.fernet", "cryptography.hazmat")
_ON_DEMAND += ("re2", "yaml", "macros.authoring", "macros.config", "feedback.transfer")
_ON_DEMAND += ("macros.listeners.checking", "macros.listeners.work", "feedback.odata")
_ON_DEMAND += ("feedback.packages.tables", "feedback.lookups", "feedback.attachments")
_ON_DEMAND += ("feedback.sources.submitting", "macros.schedules.due", "logs.figures")


def test_a_worker_loads_neither_pages_nor_the_api() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _WORKER],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = done.stdout.split()
    assert "macros.deliveries.engine" in loaded
    needless = [
        name
        for name in loaded
        if name.startswith((*_FRAMEWORKS, *_PAGES, *_API, *_ON_DEMAND))
    ]
    assert needless == [] and "centerhook.urls" not in loaded


# Whatever its jobs come to load is there without the apps of pages.
_EVERY_ROOM = """
import sys
from importlib import import_module
sys.argv = ["manage.py", "worker"]
import django
django.setup()
for name in sys.stdin.read().split():
    import_module(name)
"""
_OF_PAGES = {"admin", "api", "management", "migrations"}
_OF_PAGES |= {"rest", "console", "templatetags"}


def test_a_worker_can_load_all_that_is_not_for_pages() -> None:
    paths = [
        path.relative_to(ROOT).with_suffix("")
        for app in ("feedback", "logs", "macros")
        for path in (ROOT / app).rglob("*.py")
    ]
    names = [".".join(path.parts) for path in paths if not {*path.parts} & _OF_PAGES]
    assert "macros.listeners.handling" in names
    done = subprocess.run(
        [sys.executable, "-c", _EVERY_ROOM],
        cwd=ROOT,
        input="\n".join(name.removesuffix(".__init__") for name in names),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "label",
    ["feedback.Feedback", "feedback.Tester", "feedback.ApiKey", "logs.Run"]
    + ["logs.Destination"],
)
def test_a_link_leads_to_the_page(label: str) -> None:
    model = apps.get_model(label)
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}_change"
    assert link_to(model, 7) == settings.BASE_URL + reverse(name, args=[7])
