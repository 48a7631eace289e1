from __future__ import annotations

from collections.abc import Iterable

from django.db.models import QuerySet
from django.http import QueryDict, StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from logs import audit
from logs.models import Action
from logs.privacy import ErasureUnfinished, erase_tester, export_tester

from ..access.roles import ADD_TESTER, ERASE_TESTER, EXPORT_TESTER
from ..models import Community, Project, Tester
from ..rest.parsing import ExactJSONParser
from ..rest.problems import Problem, in_body, invalid
from ..rest.viewsets import WritableViewSet
from ..selection.testers import TesterFilterSet
from ..sources.testers import MAX_TESTERS
from .batches import BatchResultSerializer
from .serializers import TesterSerializer
from .tester_batches import TesterBatchSerializer, bring_testers
from .tester_writing import TesterWriteSerializer


class ErasureSerializer(serializers.Serializer):
    email = serializers.CharField(help_text="The tester's e-mail, to be sure.")
    remove_texts = serializers.BooleanField(
        default=False, help_text="Remove all that their tickets and comments say."
    )


@extend_schema_view(
    list=extend_schema(
        summary="Find testers",
        description="Newest first. All conditions given must hold. Beside those listed:"
        " `external_<name>=` for external data, and `has_external_<name>=` for whether"
        " there is any. A parameter that is not known, or is empty, is refused.",
    ),
    retrieve=extend_schema(summary="Read a tester"),
    create=extend_schema(
        summary="Add a tester",
        request=TesterWriteSerializer,
        responses={201: TesterSerializer},
    ),
    partial_update=extend_schema(
        summary="Change a tester",
        request=TesterWriteSerializer,
        responses={200: TesterSerializer},
    ),
    destroy=extend_schema(
        summary="Delete a tester",
        description="For people in a session. Their tickets stay; to remove what is"
        " stored of the person, erase the tester.",
    ),
)
class TesterViewSet(WritableViewSet):
    """And what a person may ask for: all that is stored of them, or to be erased."""

    queryset = Tester.objects.select_related("community")
    # In steps of their own; done again it does no more.
    own_repeats = ("erase",)
    filterset_class = TesterFilterSet
    parser_classes = [ExactJSONParser]
    action_permissions = {
        "batch": ADD_TESTER,
        "export": EXPORT_TESTER,
        "erase": ERASE_TESTER,
    }

    def get_serializer_class(self) -> type[serializers.BaseSerializer]:
        if self.action in ("create", "partial_update"):
            return TesterWriteSerializer
        return ErasureSerializer if self.action == "erase" else TesterSerializer

    def filterset(
        self, data: QueryDict, rows: QuerySet, beside: Iterable[str]
    ) -> TesterFilterSet:
        # Names of what the caller can't see are not hinted at.
        user, permission = self.request.user, self.view_permission()
        return TesterFilterSet(
            data,
            rows,
            communities=Community.objects.visible_to(user, permission),
            projects=Project.objects.visible_to(user, permission),
            beside=beside,
        )

    @extend_schema(
        summary="Add and change testers, many at once",
        description=f"Up to {MAX_TESTERS:,} rows, each by the tester's e-mail address:"
        " who is not known is added, of others what is given is changed. A row at"
        " fault is refused and named, and the others are written. All are one change,"
        " so a trigger starts one run for them.",
        request=TesterBatchSerializer,
        responses={200: BatchResultSerializer},
    )
    @action(detail=False, methods=["post"])
    def batch(self, request: Request) -> Response:
        return Response(bring_testers(request))

    @extend_schema(
        summary="Export all that is stored of a tester",
        responses={200: OpenApiTypes.OBJECT},
    )
    @action(detail=True, methods=["get"])
    def export(self, request: Request, pk: str) -> StreamingHttpResponse:
        tester = self.get_object()
        audit.record(Action.EXPORTED, tester)
        return StreamingHttpResponse(
            export_tester(tester), content_type="application/json"
        )

    @extend_schema(
        summary="Erase a tester for good",
        description="For people in a session: no API key may do it. Answers 409 while"
        " requests with the tester's data are on the wire: call it again then.",
        responses={204: None},
    )
    @action(detail=True, methods=["post"])
    def erase(self, request: Request, pk: str) -> Response:
        tester = self.get_object()
        asked = self.get_serializer(data=request.data)
        asked.is_valid(raise_exception=True)
        if asked.validated_data["email"] != tester.email:
            message = "This is not the tester's e-mail, so nothing was erased."
            raise invalid([in_body(["email"], message)])
        remove = asked.validated_data["remove_texts"]
        try:
            erase_tester(tester, request.user, remove_texts=remove)
        except ErasureUnfinished as why:
            raise Problem(409, "erasure_unfinished", str(why)) from why
        return Response(status=204)
