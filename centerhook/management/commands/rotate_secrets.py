from __future__ import annotations

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from centerhook import installation
from macros import crypto
from macros.models import Secret


class Command(BaseCommand):
    help = (
        "Encrypt every secret anew under the first of SECRETS_KEYS. When it is done the"
        " other keys can be taken away."
    )

    def handle(self, *args: object, **options: object) -> None:
        done = 0
        closed = []
        for pk in Secret.objects.order_by("pk").values_list("pk", flat=True):
            try:
                done += _rotate(pk)
            except crypto.Undecryptable:
                closed.append(str(pk))
        self.stdout.write(f"Encrypted {done} secrets under the first key.")
        if closed:
            raise CommandError(
                f"None of SECRETS_KEYS opens the secrets with the ids"
                f" {', '.join(closed)}. Keep the old keys, or enter the values again."
            )
        installation.note_rotation()


def _rotate(pk: int) -> int:
    # Row by row under a lock, so that a value entered meanwhile is not undone.
    with transaction.atomic():
        secret = Secret.objects.select_for_update().filter(pk=pk).first()
        if secret is None:
            return 0
        token = crypto.reencrypt(secret.encrypted_value)
        return Secret.objects.filter(pk=pk).update(encrypted_value=token)
