"""Coming back from the provider."""

from __future__ import annotations

from django.http import HttpResponse
from django.test import Client

from .provider import Provider


def arrive(client: Client, provider: Provider, **changes: str) -> HttpResponse:
    """Click the button, and come back from the provider."""
    response = client.get("/single-sign-on/start/?next=/admin/logs/run/")
    brought = provider.authorize(response.url)
    back: HttpResponse = client.get("/single-sign-on/callback/", {**brought, **changes})
    return back


def is_in(client: Client) -> bool:
    return client.get("/admin/").status_code == 200


def refusal(response: HttpResponse) -> str:
    assert response.status_code == 403
    html = response.content.decode()
    assert "ask whoever runs CenterHook" in html
    return html.split('<p class="errornote">')[1].split("</p>")[0]
