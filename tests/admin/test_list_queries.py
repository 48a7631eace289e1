"""A list of the admin asks as much for a page of rows as for one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.contrib import admin
from django.db import connection, models
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from feedback.models import DataPackage, Filter
from tests import factories
from tests.api.test_query_counts import copies

pytestmark = [pytest.mark.django_db, pytest.mark.sweep]


def lists() -> Iterator[type[models.Model]]:
    for model in admin.site._registry:
        if model.__module__.split(".")[0] in ("feedback", "logs", "macros"):
            yield model


def asked(page: Client, model: type[models.Model]) -> int:
    opts = model._meta
    url = reverse(f"admin:{opts.app_label}_{opts.model_name}_changelist")
    page.get(url)
    with CaptureQueriesContext(connection) as queries:
        response = page.get(url)
    assert response.status_code == 200
    return len(queries)


def test_no_list_asks_more_for_more_rows(page: Client) -> None:
    of = factories.feedback_type()
    factories.one_of_everything(of)
    # What has to be looked up to say whether they have lost a part.
    new = of.statuses.get(name="New").pk
    condition = {"field": "status", "qualifier": "is", "value": new}
    saved = factories.saved_filter(of, condition, name="New ones")
    Filter.objects.update(conditions=saved.conditions)
    columns = [{"name": "field_severity", "type": "text"}]
    DataPackage.objects.update(columns=columns, filter=saved)
    grown = {}
    for model in lists():
        few = asked(page, model)
        row = model._base_manager.order_by("pk").first()
        assert row is not None, model
        model._base_manager.bulk_create(copies(row))
        many = asked(page, model)
        if many > few:
            grown[model._meta.label] = (few, many)
    assert grown == {}
