"""A charset by which nothing can be read is no fault of the server."""

from __future__ import annotations

import encodings
import io
import pkgutil
from typing import Any

import pytest

import centerhook.wsgi
from centerhook.charsets import is_charset

pytestmark = pytest.mark.django_db
CODECS = [each.name for each in pkgutil.iter_modules(encodings.__path__)]
FORMS = [
    "text/plain; charset={}",
    'text/plain; charset="{}"',
    "text/plain;CHARSET={};a=b",
    "text/plain; charset*=utf-8''{}",
    "text/plain; charset=utf-8; charset={}",
    "multipart/form-data; boundary=x; charset={}",
]


def status_of(kind: str, method: str = "POST") -> str:
    """The status of a call with a query and a body, as a web server makes it."""
    statuses: list[str] = []
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "PATH_INFO": "/healthz",
        "QUERY_STRING": "a=%FF",
        "CONTENT_TYPE": kind,
        "CONTENT_LENGTH": "3",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "HTTP_HOST": "localhost",
        "wsgi.input": io.BytesIO(b"a=b"),
        "wsgi.url_scheme": "http",
        "wsgi.errors": io.StringIO(),
    }
    response = centerhook.wsgi.application(
        environ, lambda status, *_: statuses.append(status)
    )
    b"".join(response)
    return statuses[0]


@pytest.mark.parametrize("form", FORMS)
def test_no_codec_of_python_breaks_a_call(form: str) -> None:
    for name in [*CODECS, "\x00", "x" * 300, "unknown", ""]:
        assert status_of(form.format(name), "GET").startswith("200"), name


def test_what_reads_texts_is_kept() -> None:
    kept = {each for each in CODECS if is_charset(each)}
    assert kept >= {"utf_8", "latin_1", "cp1252", "utf_16", "shift_jis", "ascii"}
    assert not kept & {"hex_codec", "idna", "undefined", "rot_13"}
