"""One record by what others know it by: how listeners and record lookups find it."""

from __future__ import annotations

import re

from django.core.exceptions import ValidationError
from django.db.models import Q

from ..models import Tester
from ..models.folded import Folded
from ..names import fold
from .external import stored_as

_REFERENCE = re.compile(r"[A-Z][A-Z0-9]*-([0-9]{1,9})", re.IGNORECASE)
_ID = re.compile(r"[0-9]{1,18}")


def known_by(way: str, text: str, *, community: int, external: str = "") -> Q | None:
    """Selects the rows that a value names; None where no row can have it.

    A way is `id`, `reference`, `email`, `name`, or `external` for the external data of
    the given name.
    """
    match way:
        case "id":
            return Q(pk=int(text)) if _ID.fullmatch(text) else None
        case "reference":
            known = _REFERENCE.fullmatch(text)
            if known is None:
                return None
            return Q(number=int(known[1]), reference__iexact=text)
        case "email":
            emails = Tester.objects.alias(folded=Folded("email"))
            own = emails.filter(community=community, folded=fold(text))
            return Q(pk__in=own.order_by().values("pk"))
        case "name":
            return Q(name__iexact=text)
        case "external":
            try:
                return stored_as(external, text)
            except ValidationError:
                return None
    return None
