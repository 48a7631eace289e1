"""A web process has loaded all of its pages before it takes a request."""

from __future__ import annotations

import json
import subprocess
import sys

from django.conf import settings

# As gunicorn begins one.
_WEB = """
import gc, json, sys
import centerhook.wsgi
before, frozen = {*sys.modules}, gc.get_freeze_count()
from django.urls import resolve
resolve("/api/v1/feedback/")
resolve("/admin/")
late = sorted({*sys.modules} - before)
print(json.dumps({"late": late, "frozen": frozen, "left": len(gc.get_objects())}))
"""


def test_nobody_waits_for_pages_to_be_loaded_nor_for_garbage_among_them() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _WEB],
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=True,
    )
    seen = json.loads(done.stdout)
    assert seen["late"] == []
    assert seen["left"] < seen["frozen"] // 10
