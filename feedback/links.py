"""Addresses of pages for those who are not on one: mails, tags, other systems.

Written without Django's `reverse`, which loads all pages: a worker serves none.
"""

from __future__ import annotations

from django.conf import settings
from django.db.models import Model


def link_to(model: type[Model], pk: object) -> str:
    """The page of a row."""
    names = f"{model._meta.app_label}/{model._meta.model_name}"
    return f"{settings.BASE_URL}/admin/{names}/{pk}/change/"
