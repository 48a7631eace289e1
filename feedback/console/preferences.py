"""How a person likes to see pages, kept from one visit to the next."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

from ..models import Preference
from ..texts import storable, storable_in

# Whether the rows of lists stand close together: "compact", or nothing.
DENSITY = "density"


def preference(user: AbstractBaseUser | AnonymousUser, name: str) -> Any:
    """What was kept under the name, None where nothing was. Check it before use.

    A page asks for several: they are looked up once for each instance of a user.
    """
    known: dict[str, Any] | None = getattr(user, "preferences_known", None)
    if known is None:
        rows = Preference.objects.filter(user=user.pk)
        known = dict(rows.values_list("name", "value"))
        user.preferences_known = known  # type: ignore[union-attr]
    return known.get(storable(name))


def prefer(user: AbstractBaseUser, name: str, value: Any) -> None:
    """Keep it as far as every store takes it; None takes it away."""
    name, value = storable(name), storable_in(value)
    user.preferences_known = None  # type: ignore[attr-defined]
    if value is None:
        Preference.objects.filter(user=user.pk, name=name).delete()
        return
    Preference.objects.update_or_create(
        user_id=user.pk, name=name, defaults={"value": value}
    )
