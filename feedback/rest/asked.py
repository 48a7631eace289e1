"""What an action is asked, in which every member is known."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from rest_framework import serializers

from ..names import Hints
from .problems import in_body, invalid

_FIXED = "This stays as it is."


class AskedSerializer(serializers.Serializer):
    # Refuses members that it does not know. No docstring: that would stand in the
    # schema of each.

    def to_internal_value(self, data: Any) -> Any:
        refuse_unknown(data, self.fields)
        return super().to_internal_value(data)


def refuse_unknown(
    data: Any, known: Iterable[str], fixed: Collection[str] = ()
) -> None:
    """Raises Problem, that names each member."""
    if not isinstance(data, dict):
        return
    known, hints = [*known], Hints()
    faults = [
        in_body([name], f"There is no such member.{hints.near(name, known)}")
        for name in data
        if name not in known
    ]
    faults += [in_body([name], _FIXED) for name in fixed if name in data]
    if faults:
        raise invalid(faults)
