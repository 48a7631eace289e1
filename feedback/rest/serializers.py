"""Rows that those of several rooms point at, in short."""

from __future__ import annotations

from rest_framework import serializers

from ..models import FeedbackType, Project


class ProjectSerializer(serializers.ModelSerializer):
    class Meta:
        model = Project
        fields = ["id", "name"]


class FeedbackTypeSerializer(serializers.ModelSerializer):
    class Meta:
        model = FeedbackType
        fields = ["id", "name", "prefix"]
