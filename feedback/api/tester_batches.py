"""Testers from outside: many in one call."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request

from ..access.actors import reached_wholly
from ..access.keys import Actor, KeyActor
from ..access.roles import ADD_TESTER
from ..changes import unit
from ..models import Community, Tester
from ..rest.asked import AskedSerializer
from ..rest.problems import in_body, invalid
from ..rest.serializers import RowNumber, Truth
from ..sources.external import MAX_DATA
from ..sources.faults import SubmissionRefused
from ..sources.testers import EXTERNAL, MAX_TESTERS, Row, bring
from .batches import as_problem, batch_result

_MEMBERS = {
    **{name: {"description": f"The tester's {name}."} for name in Tester.PROFILE},
    "email": {"description": "Required: by it a tester is known, whatever the case."},
    "country": {"description": "Two letters, ISO 3166."},
    EXTERNAL: {
        "description": "Values by their names; null takes one away, and names that are"
        f" not given stay. At most {MAX_DATA:,} bytes of JSON for a tester."
    },
}


@extend_schema_field(
    {
        "type": "object",
        "description": "A tester. A row with other members, or without an e-mail"
        " address, is refused.",
        "properties": _MEMBERS,
        "example": {"email": "ada@example.com", "city": "London", "country": "GB"},
    }
)
class TesterRow(serializers.Field):
    """Read by `feedback.sources.testers`, which says what is wrong with each."""

    def to_internal_value(self, data: Any) -> Any:
        return data


class TesterBatchSerializer(AskedSerializer):
    testers = serializers.ListField(
        child=TesterRow(allow_null=True), min_length=1, max_length=MAX_TESTERS
    )
    all_or_nothing = Truth(
        default=False,
        help_text="With a row at fault none is written, and the response is 400.",
    )
    community = RowNumber(
        required=False,
        help_text="Needed of people; a key has its own.",
    )


def bring_testers(request: Request) -> dict[str, Any]:
    """What became of each row. Raises Problem."""
    asked = TesterBatchSerializer(data=request.data)
    asked.is_valid(raise_exception=True)
    given = asked.validated_data
    community = _community(request.user, given.get("community"))
    with unit():
        rows = _brought(request, community, given)
        return batch_result(rows)


def _brought(request: Request, community: Community, given: Any) -> list[Row]:
    whole, source = given["all_or_nothing"], request.user.get_username()
    try:
        return bring(community, given["testers"], source, all_or_nothing=whole)
    except SubmissionRefused as refusal:
        raise as_problem(refusal) from refusal


def _community(actor: Actor, pk: int | None) -> Community:
    """Where the caller may add testers: they are the whole community's."""
    if pk is None and isinstance(actor, KeyActor):
        pk = actor.key.community_id
    if pk is None:
        problem = "Say to which community they belong."
        raise invalid([in_body(["community"], problem)])
    rows = Community.objects.filter(reached_wholly(actor, ADD_TESTER), pk=pk)
    community = rows.filter(deleting_since=None).first()
    if community is None:
        problem = f"There is no community {pk} in which you may add testers."
        raise invalid([in_body(["community"], problem)])
    return community
