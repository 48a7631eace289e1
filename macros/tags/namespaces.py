"""The families of tags whose names the product's users give."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .catalogue import ALIASES, CALLED, CATALOGUES
from .names import nearest, normalise
from .scope import FEEDBACK, TARGETS, Context, FieldInfo, Scope
from .tag import Family, Resolve, Tag


def _find_field(name: str, scope: Scope) -> Tag | None:
    info = scope.fields.get(normalise(name))
    return None if info is None else _field_tag(info)


def _field_tag(info: FieldInfo) -> Tag:
    key = info.key
    return Tag(
        f"Field: {info.label}",
        "Form",
        f"The answer to {info.label}",
        info.sample,
        info.type,
        lambda context: context.target.form_values.get(key),
        reads=("form_values",),
    )


def _find_external(name: str, scope: Scope) -> Tag | None:
    """Any name will do: what a system answers is not known beforehand."""
    key = normalise(name)
    if not key:
        return None
    return Tag(
        f"External: {key}",
        "External data",
        f"The value {key} from an external system",
        "",
        "text",
        _external(key),
        reads=("external_data",),
    )


def _external(key: str) -> Resolve:
    def resolve(context: Context) -> object:
        data: Mapping[str, Any] = context.target.external_data
        if key in data:
            return data[key]
        found = (value for name, value in data.items() if normalise(name) == key)
        return next(found, None)

    return resolve


def _find_secret(name: str, scope: Scope) -> Tag | None:
    key = normalise(name)
    return _secret_tag(key) if key in scope.secrets else None


def _secret_tag(key: str) -> Tag:
    return Tag(
        f"Secret: {key}",
        "Secrets",
        f"The secret {key}",
        "••••••",
        "text",
        lambda context: context.secrets.get(key),
        secret=True,
    )


FAMILIES: Mapping[str, Family] = {
    normalise(family.name): family
    for family in [
        Family(
            "Field",
            "Form",
            "An answer on the form, by the field's label or key",
            "((Field: Severity))",
            "text",
            _find_field,
        ),
        Family(
            "External",
            "External data",
            "A value another system gave for the ticket or tester, by its name",
            "((External: jira_key))",
            "text",
            _find_external,
        ),
        Family(
            "Secret",
            "Secrets",
            "A secret of the community, by its name; nobody can read it back",
            "((Secret: slack_url))",
            "text",
            _find_secret,
        ),
    ]
}


def find_tag(name: str, scope: Scope) -> Tag | None:
    """The tag of a name as its author wrote it, None when there is none."""
    namespace, colon, rest = name.partition(":")
    if not colon:
        key = normalise(name)
        return CATALOGUES[scope.target].get(key) or ALIASES[scope.target].get(key)
    family = FAMILIES.get(normalise(namespace))
    return None if family is None else family.find(rest, scope)


def palette(scope: Scope) -> Iterator[Tag]:
    """Every tag an author can choose from."""
    yield from CATALOGUES[scope.target].values()
    yield from (_field_tag(info) for info in dict.fromkeys(scope.fields.values()))
    yield from (_secret_tag(name) for name in sorted(scope.secrets))


def families(scope: Scope) -> Iterator[Family]:
    """Those that the scope's target has: a tester has no form."""
    for key, family in FAMILIES.items():
        if key != "field" or scope.target == FEEDBACK:
            yield family


def mistaken_for(name: str, scope: Scope) -> str:
    """Of what a tag is that the scope's target lacks; empty where it is of nothing."""
    namespace, colon, _ = name.partition(":")
    for other in TARGETS:
        known = normalise(name) in CATALOGUES[other]
        is_field = colon and normalise(namespace) == "field" and other == FEEDBACK
        if other != scope.target and (known or is_field):
            return CALLED[other]
    return ""


def nearest_tag(name: str, scope: Scope) -> str | None:
    """The most similar tag, as it is written in a template."""
    labels = [tag.name for tag in palette(scope)]
    namespace, _, own = name.rpartition(":")
    family = nearest(namespace, [item.name for item in FAMILIES.values()])
    meant = family and FAMILIES[normalise(family)].find(own, scope)
    if meant:
        return str(meant)
    # `((Severity))` stands for `((Field: Severity))`, and `((Field: Title))` for
    # `((Title))`.
    found = nearest(name, labels) or nearest(own, labels)
    if found is None and (alias := nearest(name, ALIASES[scope.target])):
        found = ALIASES[scope.target][alias].name
    return None if found is None else f"(({found}))"
