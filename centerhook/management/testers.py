"""What the commands about one tester have in common."""

from __future__ import annotations

from django.core.management.base import CommandError, CommandParser

from feedback.models import Community, Tester
from logs.privacy import find_tester


def add_arguments(parser: CommandParser) -> None:
    parser.add_argument("email", metavar="EMAIL")
    parser.add_argument(
        "--community", required=True, metavar="NAME", help="The tester's community."
    )


def tester_of(email: str, community: str) -> Tester:
    """The tester with this e-mail in the community so named. Raises CommandError."""
    owner = Community.objects.filter(name__iexact=community).first()
    if owner is None:
        names = ", ".join(Community.objects.values_list("name", flat=True)[:20])
        raise CommandError(
            f"--community: there is no community '{community}'."
            f" There is: {names or 'none at all'}."
        )
    tester = find_tester(owner, email)
    if tester is None:
        raise CommandError(
            f"EMAIL: the community '{community}' has no tester '{email}'."
        )
    return tester
