from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class LogsConfig(AppConfig):
    name = "logs"
    verbose_name = "Webhook log"

    def ready(self) -> None:
        # They register themselves.
        from . import packages  # noqa: F401
        from .audit import receivers  # noqa: F401

        post_migrate.connect(_make_room, sender=self)


def _make_room(using: str, **kwargs: Any) -> None:
    """So that the first transcript meets the partition of its month."""
    from django.utils import timezone

    from .retention import partitions

    partitions.make_room(timezone.now(), using)
