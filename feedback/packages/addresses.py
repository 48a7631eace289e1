"""Where packages are read. A key is unique in its community, so the URL has both."""

from __future__ import annotations

from django.conf import settings
from django.urls import reverse

from ..models import DataPackage


def url_of(package: DataPackage, form: str = "") -> str:
    """The address of the rows; without a format, of the schema."""
    at = [package.community_id, package.key]
    view, args = ("package-rows", [*at, form]) if form else ("package-schema", at)
    return f"{settings.BASE_URL}{reverse(view, args=args)}"


def odata_url_of(package: DataPackage) -> str:
    path = reverse("package-odata", args=[package.community_id, package.key])
    return f"{settings.BASE_URL}{path}"
