"""Every model of ours states what its rows say about people."""

from __future__ import annotations

import pytest
from django.db import models
from django.db.models import Model

from feedback.access.privacy import ALL, NOTHING_PERSONAL, Privacy
from tests.meta.test_imports import ROOT
from tests.meta.test_scoping import OURS

_TEXTS = (
    models.BinaryField,
    models.CharField,
    models.JSONField,
    models.TextField,
)


@pytest.mark.parametrize("model", OURS, ids=lambda model: model._meta.label)
def test_a_model_states_it_itself(model: type[Model]) -> None:
    privacy = vars(model).get("privacy")
    assert isinstance(privacy, Privacy), "inherited or missing"
    if privacy == NOTHING_PERSONAL:
        return
    hidden = () if privacy.hidden == ALL else privacy.hidden
    fields = [model._meta.get_field(name) for name in (*hidden, *privacy.texts)]
    assert all(isinstance(field, _TEXTS) for field in fields)
    for path in privacy.about:
        model._default_manager.filter(**{path: 1}).query  # noqa: B018


def test_who_reads_it_names_no_model_of_macros() -> None:
    """Such a table would miss the next model, and point up."""
    rooms = [ROOT / "logs" / name for name in ("audit", "privacy")]
    sources = [path.read_text() for room in rooms for path in room.glob("*.py")]
    assert len(sources) > 8
    assert not any('"macros' in text for text in sources)
