"""What is asked for both directions of a two-way sync."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms

from feedback.access.keys import Actor
from feedback.models import FeedbackType

from ..authoring.new_macros import MacroRefused
from ..listeners.presets import (
    SIGNING,
    ListenerRefused,
    NewPair,
    Pair,
    PairMade,
    PairRefused,
    create_pair,
)
from .new_listener_form import asked_field
from .new_macro_sources import PresetForm

_OWNER = "feedback_type"


class PairForm(PresetForm):
    """The form of the macros' preset, and what the listeners ask for."""

    def __init__(self, *args: Any, user: Actor, pair: Pair, **kwargs: Any) -> None:
        super().__init__(*args, user=user, preset=pair.outgoing, **kwargs)
        self.pair = pair
        # Each of what is made has a name of its own.
        del self.fields["name"]
        types: Any = self.fields[_OWNER]
        rows = list(types.queryset[:2])
        of = rows[0] if len(rows) == 1 else None
        types.initial = of
        for each in pair.asked:
            self.fields[each.key] = asked_field(each, of)

    @property
    def heard_fields(self) -> list[forms.BoundField]:
        return [self[each.key] for each in self.pair.asked]

    def save_pair(self) -> PairMade | None:
        """None with the errors on their fields where it can't be made."""
        of = self.owner
        assert isinstance(of, FeedbackType)  # noqa: S101 - a valid form has one
        names = self.names
        new = NewPair(
            self.pair,
            of,
            self._settings(),
            {each.key: self.cleaned_data[each.key] for each in self.pair.asked},
            {each.key: names[f"secret_{each.key}"] for each in self.preset.secrets},
            self.made,
            self.cleaned_data.get("keep_in") == "community",
        )
        try:
            return create_pair(new, self.user)
        except PairRefused as refused:
            name = f"setting_{refused.setting}" if refused.setting else ""
            self._refuse({name: [str(refused)]})
        except (MacroRefused, ListenerRefused) as refused:
            self._refuse(refused.problems)
        return None

    def _refuse(self, problems: Mapping[str, Sequence[str]]) -> None:
        own = {f"secret_{part}": f"secret_{SIGNING}_{part}" for part in _PARTS}
        own["owner"] = _OWNER
        for member, messages in problems.items():
            name = own.get(member, member)
            for message in messages:
                self.add_error(name if name in self.fields else None, message)


_PARTS = ("name", "value")
