"""What a step says of one subject before anything is done."""

from __future__ import annotations

from dataclasses import dataclass, field

from feedback.models import Feedback, Tester

from . import mail

Subject = Feedback | Tester


@dataclass(slots=True)
class RequestPreview:
    """A rendered request as it may be shown, or why it can't be built."""

    title: str = "Not sent"
    method: str = ""
    url: str = ""
    headers: str = ""
    body: str = ""
    error: str = ""
    # The same for a shell, with a variable for each mask.
    curl: str = ""

    @property
    def line(self) -> str:
        """As HTTP begins it; an e-mail has no such line."""
        return "" if self.method == mail.METHOD else f"{self.method} {self.url}"


@dataclass(slots=True)
class DryRunRow:
    """What the macro would do with one subject; `problem` is why it stops there."""

    subject: Subject
    lines: list[str] = field(default_factory=list)
    problem: str = ""
    # The hosts that would get a request, once for each request.
    hosts: list[str] = field(default_factory=list)
    # Changes that would find it so already.
    unchanged: int = 0

    @property
    def name(self) -> str:
        """As on the log."""
        subject = self.subject
        return subject.email if isinstance(subject, Tester) else subject.reference
