"""What the rows of a model say about people, stated by the model beside its tenancy.

The audit log, the export of a tester and an erasure read it: see `logs.audit` and
`logs.privacy`. A model whose `__str__` repeats what people wrote, or a credential, has
a method `audit_name`, which names its rows in the audit log.
"""

from __future__ import annotations

from dataclasses import dataclass

# Every field of a model.
ALL = ("*",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Privacy:
    """Every model of ours has one as its attribute `privacy`.

    `hidden` are fields of which the audit log says that they changed, and never how:
    nobody can erase a person from it. It hides credentials whatever is stated here.

    `texts` are the columns in which a tester's values are looked for. An erasure takes
    them out of there; out of whole rows where `is_scrubbed_whole`, as other words of
    such a row may be about the person too.

    `about` are the look-ups to the testers whom a row is about. In their own rows all
    values of the profile are looked for; in others only what is one person's alone.
    """

    hidden: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    about: tuple[str, ...] = ()
    is_scrubbed_whole: bool = False

    def hides(self, field: str) -> bool:
        return field in self.hidden or self.hidden == ALL


NOTHING_PERSONAL = Privacy()
