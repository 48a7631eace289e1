"""Two at once: whoever comes second is refused by the check that was passed too early.

A form looks for a row of the same name and then saves; on PostgreSQL another request
may save its own in between, and then a constraint of the database refuses.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from django.db import IntegrityError

P = ParamSpec("P")
R = TypeVar("R")


def once_more(act: Callable[P, R]) -> Callable[P, R]:
    """Do it again where the database refuses: now the check sees the rival's row.

    Whatever it writes it must write in a transaction of its own, which is undone by
    then. What is refused twice is no race, and is raised.
    """

    @wraps(act)
    def repeated(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return act(*args, **kwargs)
        except IntegrityError:
            return act(*args, **kwargs)

    return repeated
