from __future__ import annotations

import pytest
from django.core.checks import run_checks


# The newest Django's checks look at the database too.
@pytest.mark.django_db
@pytest.mark.parametrize(("lease", "wrong"), [(60.0, False), (3.0, False), (2.9, True)])
def test_a_lease_too_short_to_be_renewed_is_refused(
    settings: object, lease: float, wrong: bool
) -> None:
    settings.LEASE_SECONDS = lease  # type: ignore[attr-defined]
    errors = [each for each in run_checks() if each.id == "centerhook.E102"]
    assert len(errors) == wrong
    for each in errors:
        assert "LEASE_SECONDS is 2.9" in each.msg and each.hint
