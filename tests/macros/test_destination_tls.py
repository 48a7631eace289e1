"""A destination's own authority and client certificate, at work and on its page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from feedback.models import FeedbackType
from logs.models import Attempt, Destination
from macros import deliveries
from macros.models import Secret
from tests import factories
from tests.http.authority import Authority
from tests.http.hostile import OK, Server, always

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture
def bugs() -> FeedbackType:
    made = factories.feedback_type()
    factories.ticket(made)
    return made


@pytest.fixture
def server(serve: Callable[..., Server], authority: Authority) -> Server:
    return serve(always(OK), tls=authority.mutual("localhost"))


@pytest.fixture
def destination(bugs: FeedbackType, server: Server, settings: Any) -> Destination:
    settings.ALLOWED_DESTINATION_HOSTS = ["localhost"]
    origin = f"https://localhost:{server.port}"
    community = bugs.project.community
    return Destination.objects.create(community=community, origin=origin)


def deliver(bugs: FeedbackType, server: Server) -> Attempt:
    run = factories.run(factories.macro(bugs, server.url(host="localhost")))
    deliveries.work(run.pk)
    return Attempt.objects.latest("pk")


def equip(destination: Destination, authority: Authority, **values: str) -> None:
    certificate, _ = authority.client("centerhook.example")
    destination.ca_certificates = authority.pem
    destination.client_certificate = values.get("certificate", certificate)
    destination.client_key_secret = values.get("secret", "Client key")
    destination.save()


def test_a_destinations_certificate_opens_the_destination(
    bugs: FeedbackType, server: Server, destination: Destination, authority: Authority
) -> None:
    assert deliver(bugs, server).message == (
        "The server's certificate comes from an unknown issuer."
    )
    certificate, key = authority.client("centerhook.example")
    factories.secret(bugs, "client key", key)
    equip(destination, authority, certificate=certificate)
    attempt = deliver(bugs, server)
    assert (attempt.status, attempt.message) == (200, "")
    assert len(server.requests) == 1


def test_another_community_does_not_get_its_certificate(
    bugs: FeedbackType, server: Server, destination: Destination, authority: Authority
) -> None:
    certificate, key = authority.client("centerhook.example")
    factories.secret(bugs, "client key", key)
    equip(destination, authority, certificate=certificate)
    assert deliver(bugs, server).status == 200
    other = factories.feedback_type()
    factories.ticket(other)
    assert deliver(other, server).error_class == "tls"
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("hosts", "error", "message"),
    [
        (None, "render", "The secret client_key does not exist any more."),
        ("other.example", "blocked", "may not be sent to this host"),
        ("", "render", "do not belong together"),
    ],
)
def test_a_key_that_cannot_be_used_is_named(
    bugs: FeedbackType,
    server: Server,
    destination: Destination,
    authority: Authority,
    hosts: str | None,
    error: str,
    message: str,
) -> None:
    if hosts is not None:
        _, key = authority.client("somebody.else")
        factories.secret(bugs, "client key", key, hosts=hosts)
    equip(destination, authority)
    attempt = deliver(bugs, server)
    assert attempt.error_class == error and message in attempt.message
    assert server.requests == []


@pytest.fixture
def page() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("olivia"))
    return client


@pytest.mark.parametrize(
    ("values", "field", "message"),
    [
        ({"ca_certificates": "x"}, "ca_certificates", "not valid PEM"),
        ({"client_key_secret": "key"}, "client_certificate", "Give the certificate"),
        ({"client_certificate": "x"}, "client_key_secret", "Give the secret"),
        (
            {"client_certificate": "x", "client_key_secret": "no such"},
            "client_key_secret",
            "no secret 'no such'",
        ),
        (
            {"client_certificate": "x", "client_key_secret": "key"},
            "client_certificate",
            "not valid PEM",
        ),
    ],
)
def test_the_page_refuses_what_could_not_work(
    page: Client,
    bugs: FeedbackType,
    destination: Destination,
    authority: Authority,
    values: dict[str, str],
    field: str,
    message: str,
) -> None:
    factories.secret(bugs, "key", authority.client("a.example")[1])
    url = reverse("admin:logs_destination_change", args=[destination.pk])
    response = page.post(url, values)
    errors = response.context["adminform"].form.errors
    assert list(errors) == [field] and message in errors[field][0]


def test_the_page_takes_what_works(
    page: Client, bugs: FeedbackType, destination: Destination, authority: Authority
) -> None:
    certificate, key = authority.client("a.example")
    factories.secret(bugs, "key", key)
    values = {
        "ca_certificates": authority.pem.replace("\n", "\r\n"),
        "client_certificate": certificate.replace("\n", "\r\n"),
        "client_key_secret": "key",
    }
    url = reverse("admin:logs_destination_change", args=[destination.pk])
    assert page.post(url, values).status_code == 302
    destination.refresh_from_db()
    assert destination.client_certificate.startswith("-----BEGIN CERTIFICATE")
    assert Secret.objects.count() == 1
