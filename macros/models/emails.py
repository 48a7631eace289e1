from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from django.db import models

from feedback.access.privacy import Privacy

from ..tags import OutputContext, TemplateError, compile_recipients, compile_template
from .steps import Step

if TYPE_CHECKING:
    from .macros import Macro


class SendEmail(Step):
    """The step that sends an e-mail, each recipient their own."""

    kind = "send_email"
    SETTINGS = ("to", "subject", "body")
    privacy = Privacy(hidden=("to", "body"))

    to = models.TextField(
        max_length=2000,
        help_text="One address per line, such as <code>((Submitter Email))</code>. Each"
        " gets an e-mail of their own.",
    )
    subject = models.CharField(max_length=250, help_text="With dynamic tags.")
    body = models.TextField("text", max_length=50_000, help_text="With dynamic tags.")

    class Meta:
        verbose_name = "e-mail"

    def __str__(self) -> str:
        return f"Send the e-mail “{self.subject[:60]}”"

    def problems(self, macro: Macro) -> dict[str, list[str]]:
        scope = macro.scope()
        compilers: dict[str, Callable[[], object]] = {
            "to": lambda: compile_recipients(self.to, scope),
            "subject": lambda: compile_template(
                self.subject, OutputContext.HEADER, scope
            ),
            "body": lambda: compile_template(self.body, OutputContext.TEXT, scope),
        }
        found: dict[str, list[str]] = {}
        for field, compile_field in compilers.items():
            try:
                compile_field()
            except TemplateError as error:
                found[field] = [str(problem) for problem in error.problems]
        return found
