"""A superuser opens the inside address of one destination, and of no other."""

from __future__ import annotations

import pytest
from django.contrib.admin import site
from django.test import RequestFactory

from centerhook.receiver import Receiver
from logs.models import Attempt, Destination
from macros import deliveries
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _closed(settings: object) -> None:
    settings.ALLOWED_NETWORKS = []  # type: ignore[attr-defined]


def test_an_opened_destination_is_reached_and_its_neighbour_is_not(
    receiver: Receiver,
) -> None:
    with Receiver() as neighbour:
        bugs = factories.feedback_type()
        factories.ticket(bugs)
        opened = factories.run(factories.macro(bugs, f"{receiver.url}/ok"))
        closed = factories.run(factories.macro(bugs, f"{neighbour.url}/ok"))
        Destination.objects.create(
            community=opened.community, origin=receiver.url, allows_inside=True
        )
        deliveries.work(opened.pk)
        deliveries.work(closed.pk)
        assert (len(receiver.ids), len(neighbour.ids)) == (1, 0)
    errors = Attempt.objects.values_list("delivery__run", "error_class")
    assert dict(errors) == {opened.pk: "", closed.pk: "blocked"}


def test_it_is_opened_for_its_own_community_only(receiver: Receiver) -> None:
    mine, theirs = factories.feedback_type(), factories.feedback_type()
    factories.ticket(theirs)
    Destination.objects.create(
        community=mine.project.community, origin=receiver.url, allows_inside=True
    )
    deliveries.work(factories.run(factories.macro(theirs, f"{receiver.url}/ok")).pk)
    assert not receiver.ids
    assert Attempt.objects.get().error_class == "blocked"


def test_cloud_metadata_stays_out_of_reach() -> None:
    bugs = factories.feedback_type()
    factories.ticket(bugs)
    run = factories.run(factories.macro(bugs, "http://169.254.169.254/latest"))
    Destination.objects.create(
        community=run.community, origin="http://169.254.169.254:80", allows_inside=True
    )
    deliveries.work(run.pk)
    assert Attempt.objects.get().error_class == "blocked"


@pytest.mark.parametrize("is_superuser", [True, False])
def test_only_a_superuser_may_open_it(rf: RequestFactory, is_superuser: bool) -> None:
    request = rf.get("/")
    request.user = factories.superuser()
    request.user.is_superuser = is_superuser
    form = site.get_model_admin(Destination).get_form(request, Destination())
    assert ("allows_inside" in form.base_fields) is is_superuser
