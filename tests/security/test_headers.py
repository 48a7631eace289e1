"""What every response tells the browser, and what no page may hold."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import path, reverse

from tests import factories

from . import pages

POLICY = {
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
    "object-src 'none'",
}
# What a strict policy would stop, so that the page would not work with it.
INLINE = re.compile(
    r"<style|\sstyle=|\son[a-z]+=|javascript:"
    r"|<script(?![^>]*(\ssrc=|\stype=\"(application/json|text/template)\"))",
    re.IGNORECASE,
)


def fail(request: Any) -> None:
    raise RuntimeError("On purpose")


urlpatterns = [path("fail/", fail)]


def assert_hardened(response: Any) -> None:
    headers = response.headers
    policy, html = headers["Content-Security-Policy"], response.content.decode()
    # The style sheet that a code editor makes, and no other.
    if nonce := re.search(r'data-nonce="([^"]{22,})"', html):
        assert policy.count(nonce[1]) == html.count(nonce[1]) == 1
        policy = policy.replace(f" 'nonce-{nonce[1]}'", "")
    assert set(policy.split("; ")) == POLICY
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "camera=()" in headers["Permissions-Policy"]
    assert {"no-store", "private"} <= set(headers["Cache-Control"].split(", "))
    assert INLINE.search(html) is None


def test_the_search_for_what_is_inline_finds_it() -> None:
    for bad in ('<p style="x">', "<style>", "<a onclick=x>", "<script>x</script>"):
        assert INLINE.search(bad), bad
    for good in (
        '<script src="x"></script>',
        '<script type="application/json" id="x">',
    ):
        assert not INLINE.search(good), good


@pytest.mark.sweep
def test_every_page_is_hardened_and_holds_nothing_inline(page: Client) -> None:
    factories.one_of_everything(factories.feedback_type())
    urls = list(pages.urls())
    assert len(urls) > 60
    for url in urls:
        response = page.get(url)
        assert response.status_code == 200, url
        assert_hardened(response)
    for url, form in pages.confirmations():
        response = page.post(url, form)
        assert response.status_code == 200, form
        assert_hardened(response)


def test_so_is_a_page_that_one_sees_without_an_account(
    client: Client, db: None
) -> None:
    response = client.get(reverse("admin:login"))
    assert response.status_code == 200
    assert_hardened(response)


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (400, "could not be understood"),
        (403, "Your role does not allow it"),
        (404, "or the address is wrong"),
        (413, "More was sent than this server accepts"),
        (500, "The page could not be made"),
    ],
)
def test_an_error_page_is_hardened_and_speaks_to_people(
    page: Client, settings: Any, status: int, sentence: str
) -> None:
    factories.one_of_everything(factories.feedback_type())
    _, form = next(pages.confirmations())
    tickets = reverse("admin:feedback_feedback_changelist")
    if status == 400:
        response = page.post(tickets, {**form, "_selected_action": "9" * 23})
    elif status == 403:
        response = page.get(reverse("admin:logs_run_add"))
    elif status == 404:
        response = page.get("/nothing/")
    elif status == 413:
        response = page.post(tickets, form, CONTENT_LENGTH="999999999999")
    else:
        settings.ROOT_URLCONF = __name__
        from centerhook import urls

        urlpatterns[1:] = urls.urlpatterns
        page.raise_request_exception = False
        response = page.get("/fail/")

    assert response.status_code == status
    assert sentence in response.content.decode()
    assert_hardened(response)


def test_a_form_without_its_token_is_explained(olivia: Any) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(olivia)
    response = strict.post(reverse("admin:logout"))
    assert response.status_code == 403
    assert "It was open for too long" in response.content.decode()
    assert_hardened(response)


def test_a_name_that_is_not_ours_gets_an_error_page_too(client: Client) -> None:
    response = client.get("/admin/login/", HTTP_HOST="evil.example")
    assert response.status_code == 400
    assert_hardened(response)


def test_static_files_may_be_kept(client: Client) -> None:
    response = client.get("/static/centerhook/centerhook.css")
    assert response.status_code == 200
    assert "no-store" not in response.headers["Cache-Control"]
