"""Templates whose result people read: no secret may stand in them."""

from __future__ import annotations

from .compiler import compile_template
from .contexts import OutputContext
from .errors import Problem, TemplateError
from .scope import Scope
from .template import Template


def compile_shown(text: str, place: OutputContext, scope: Scope) -> Template:
    """Raises TemplateError."""
    template = compile_template(text, place, scope)
    if template.uses_secrets:
        message = "a secret can't stand here, where people would read it"
        raise TemplateError([Problem(1, 1, message, None)])
    return template
