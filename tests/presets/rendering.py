"""A preset filled in, and rendered as a worker would."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from macros.authoring.presets import Preset, fill
from macros.http import Request
from macros.models.secrets import Vault
from macros.steps.kinds.web_request import WebRequest
from macros.tags import FEEDBACK, TESTER, FieldInfo, RenderContext, Scope
from tests.tags.subjects import a_context, a_testers_context

HERE = Path(__file__).parent
SITE = "https://site.example"
# What no setting may do more than be read.
NASTY_SETTING = 'a "b" ((Title)) </x> & {{}}, ü(((🙂)))'
NASTY = {
    "quotes": 'say "hi" \'there\' \\ `x` \\" \\n',
    "lines": "first\r\nsecond\n\n \nthird\ttab\u2028end\n",
    "emoji": "👩‍👩‍👧‍👦 🏳️‍🌈 ❤️",
    "script": "<script>alert('x')</script> <!channel> <@U1> @everyone",
    "ampersand": "a & b &amp; c=d?e#f%20",
    "right to left": "\u202eהשלום עליכם مرحبا\u202c",
    "markup": "*b* _i_ ~s~ `c` [x](javascript:alert(1)) # h\n- l\n> q\n|t|",
    "tags": "((Title)) \\((Description)) ((Secret: token)) [[project]] {{ x }}",
    "controls": "a\x01\x0b\x1f\x7fb",
    "long": "x" * 10_000,
    "long escapes": "<&>*" * 2_500,
    "long emoji": "🙂" * 10_000,
    "long lines": "ab\n" * 3_334,
    "spaces": " \n ",
    "empty": "",
}


def file(name: str) -> Any:
    return yaml.safe_load((HERE / name).read_text("utf-8"))


def settings_for(preset: Preset, nasty: bool = False) -> dict[str, str]:
    return {
        each.key: SITE
        if each.kind == "url"
        else NASTY_SETTING
        if nasty and each.kind == "text"
        else each.default or each.example
        for each in preset.settings
    }


def values_for(preset: Preset) -> dict[str, str]:
    """The values of its secrets, by the names that are suggested for them."""
    return {
        each.name: f"https://secret.example/{each.name}"
        if each.kind == "url"
        else f"secret-{each.name}"
        for each in preset.secrets
    }


def steps(preset: Preset, nasty: bool = False) -> list[dict[str, Any]]:
    """Its requests with every field that a run's snapshot has."""
    names = {each.key: each.name for each in preset.secrets}
    rest = WebRequest().snapshot()
    filled = fill(preset, settings_for(preset, nasty), names)
    return [{**rest, **request} for request in filled]


def scope_of(preset: Preset) -> Scope:
    secrets = values_for(preset)
    if preset.subject_kind == "tester":
        return Scope.of(secrets=secrets, subject_kind=TESTER)
    return Scope.of([FieldInfo("x", "X", "text", "")], secrets, FEEDBACK)


def requests_of(
    preset: Preset, context: RenderContext, nasty: bool = False
) -> list[Request]:
    values = values_for(preset)
    built = []
    for step in steps(preset, nasty):
        template = WebRequest.compile(step, scope_of(preset))
        template.unlock(Vault(values))
        built.append(template.render(context))
    return built


def nasty_subject(preset: Preset, value: str) -> RenderContext:
    """With the value wherever a person or another system could put it."""
    if preset.subject_kind == "tester":
        context = a_testers_context(values_for(preset))
        _spoil_profile(context.subject, value)
        context.subject.community.name = value[:100]
        context.project = value[:100].strip()
        context.subject.external_data = {"address_valid": value[:500]}
        return context
    context = a_context(values_for(preset))
    ticket = context.subject
    # As the column does.
    ticket.title = " ".join(value.split())[:250] or "x"
    ticket.description = value
    ticket.status.name = value[:50]
    ticket.external_data = {"jira_key": value[:500] or "QA-7"}
    _spoil_profile(ticket.submitter, value)
    ticket.feedback_type.name = value[:100]
    ticket.feedback_type.project.name = value[:100].strip() or "x"
    ticket.feedback_type.project.community.name = value[:100]
    return context


def _spoil_profile(person: Any, value: str) -> None:
    # Django lets no other addresses in.
    texts = {name for name, held in vars(person).items() if isinstance(held, str)}
    for name in texts - {"email"}:
        setattr(person, name, value[:100].strip() or "x")
