"""Who sees which rows: the same rule on every model of ours."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Model

from feedback.access.actors import ScopedQuerySet
from tests import factories

# Rows of a person or of the installation, which no tenant has and no list shows.
NO_TENANTS = {"feedback.Installation", "feedback.Preference", "logs.RetentionCursor"}
OURS = [
    model
    for app in ("feedback", "logs", "macros")
    for model in apps.get_app_config(app).get_models()
    if model._meta.label not in NO_TENANTS
]


@pytest.mark.django_db
def test_superusers_see_all_and_nobody_else_sees_anything() -> None:
    factories.one_of_everything(factories.feedback_type())
    olivia = factories.superuser()
    nora = User.objects.create_user("nora", is_staff=True)
    former = User(username="fred", is_staff=True, is_superuser=True, is_active=False)

    def seen(user: object) -> dict[type[Model], int]:
        return {
            model: model._default_manager.visible_to(user).count()  # type: ignore[attr-defined]
            for model in OURS
        }

    everything = {model: model._default_manager.count() for model in OURS}
    assert min(everything.values()) > 0, "a model without a row proves nothing"
    assert seen(olivia) == everything
    nothing = dict.fromkeys(OURS, 0)
    assert seen(nora) == seen(former) == seen(AnonymousUser()) == nothing


@pytest.mark.parametrize("model", OURS, ids=lambda model: model._meta.label)
def test_a_model_is_scoped_even_without_a_row(model: type[Model]) -> None:
    rows = model._default_manager.all()
    assert isinstance(rows, ScopedQuerySet)
    assert rows.visible_to(AnonymousUser()).query.is_empty()
    assert not rows.visible_to(User(is_superuser=True)).query.is_empty()
