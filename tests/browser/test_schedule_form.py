"""The form of a schedule in a real browser: its fields, and what it would mean."""

from __future__ import annotations

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from tests import factories
from tests.browser.signing_in import faultless, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_the_form_shows_the_fields_of_its_rate_and_the_next_moments(
    screen: Page,
) -> None:
    macro = factories.macro(factories.feedback_type(), "https://a.example/")
    sign_in(screen, factories.superuser().username)
    screen.goto(f"{reverse('admin:macros_schedule_add')}?macro={macro.pk}")
    at, cron = screen.locator("#id_at"), screen.locator("#id_cron")
    moments = screen.locator("#schedule-moments")
    expect(at).to_be_visible()
    expect(cron).to_be_hidden()
    expect(moments).to_contain_text("Every day at 09:00 UTC.")

    with faultless(screen):
        _choose_cron(screen)


def _choose_cron(screen: Page) -> None:
    at, cron = screen.locator("#id_at"), screen.locator("#id_cron")
    moments = screen.locator("#schedule-moments")
    screen.select_option("#id_rate", "cron")
    expect(at).to_be_hidden()
    expect(moments).to_contain_text("A cron expression has five parts")
    cron.fill("0 9 * * 1-5")
    screen.select_option("#id_time_zone", "Europe/Berlin")
    expect(moments).to_contain_text("At 09:00 on Monday through Friday, Europe/Berlin.")
    expect(moments.locator("tbody tr")).to_have_count(5)
