"""Templates whose result people read, so that it may hold no secret."""

from __future__ import annotations

from .compiler import compile_template
from .contexts import OutputContext
from .errors import Problem, TemplateError
from .scope import Scope
from .template import Template


def compile_without_secrets(text: str, output: OutputContext, scope: Scope) -> Template:
    """Raises TemplateError if the template names a secret, or does not compile."""
    template = compile_template(text, output, scope)
    if template.uses_secrets:
        message = "a secret can't stand here, where people would read it"
        raise TemplateError([Problem(1, 1, message, None)])
    return template
