from __future__ import annotations

from django.conf import settings
from django.urls import reverse
from rest_framework import serializers

from ..models import Attachment, Community, Feedback, Status, Tester
from ..rest.serializers import FeedbackTypeSerializer, ProjectSerializer, SharedRow


class StatusSerializer(SharedRow):
    class Meta:
        model = Status
        fields = ["id", "name", "is_open", "colour"]


class SubmitterSerializer(serializers.ModelSerializer):
    name = serializers.CharField(read_only=True)

    class Meta:
        model = Tester
        fields = ["id", "email", "name"]


class CommunitySerializer(serializers.ModelSerializer):
    class Meta:
        model = Community
        fields = ["id", "name"]


class TesterSerializer(serializers.ModelSerializer):
    """A tester."""

    community = CommunitySerializer(read_only=True)
    name = serializers.CharField(read_only=True)
    external_data = serializers.DictField(
        read_only=True, help_text="Values from other systems, by name."
    )

    class Meta:
        model = Tester
        fields = [
            "id",
            "name",
            *Tester.PROFILE,
            "community",
            "score",
            "external_data",
            "created_at",
            "erased_at",
        ]
        read_only_fields = fields


class FeedbackSerializer(serializers.ModelSerializer):
    """A ticket."""

    type = FeedbackTypeSerializer(source="feedback_type", read_only=True)
    project = ProjectSerializer(source="feedback_type.project", read_only=True)
    status = StatusSerializer(read_only=True, allow_null=True)
    submitter = SubmitterSerializer(read_only=True, allow_null=True)
    form_values = serializers.DictField(
        read_only=True, help_text="Answers by the keys of the form's fields."
    )
    external_data = serializers.DictField(
        read_only=True, help_text="Values from other systems, by name."
    )

    class Meta:
        model = Feedback
        fields = [
            "id",
            "reference",
            "type",
            "project",
            "title",
            "description",
            "status",
            "visibility",
            "submitter",
            "form_values",
            "external_data",
            "created_at",
            "modified_at",
        ]
        read_only_fields = fields


class AttachmentSerializer(serializers.ModelSerializer):
    """A file on a ticket."""

    download = serializers.SerializerMethodField(help_text="Where its bytes are.")

    class Meta:
        model = Attachment
        fields = [
            "id",
            "name",
            "content_type",
            "size",
            "sha256",
            "added_by",
            "created_at",
            "download",
        ]
        read_only_fields = fields

    def get_download(self, attachment: Attachment) -> str:
        page = reverse("api:attachment-download", args=[attachment.pk])
        return f"{settings.BASE_URL}{page}"
