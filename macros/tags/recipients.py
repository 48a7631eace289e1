"""The recipients of an e-mail: an address per line, each a template of its own."""

from __future__ import annotations

from .compiler import compile_template
from .contexts import OutputContext
from .errors import Problem, TemplateError
from .scope import Scope
from .template import Template

MAX_RECIPIENTS = 10


def compile_recipients(text: str, scope: Scope) -> list[Template]:
    """Raises TemplateError with every problem, its line counted in `text`."""
    templates: list[Template] = []
    problems: list[Problem] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            template = compile_template(line.strip(), OutputContext.HEADER, scope)
        except TemplateError as error:
            problems += [
                Problem(number, each.column, each.message, each.suggestion)
                for each in error.problems
            ]
            continue
        templates.append(template)
        if template.uses_secrets:
            message = "a secret can't be an address, which the log shows"
            problems.append(Problem(number, 1, message, None))
        elif "@" not in (template.fixed or "@"):
            message = f"'{line.strip()}' is not an e-mail address"
            problems.append(Problem(number, 1, message, None))
    if len(templates) > MAX_RECIPIENTS:
        message = f"{len(templates)} lines are too many; {MAX_RECIPIENTS} at most"
        problems.append(Problem(1, 1, message, None))
    if not templates and not problems:
        problems.append(Problem(1, 1, "give at least one address", None))
    if problems:
        raise TemplateError(problems)
    return templates
