"""Namespaces: tags whose names are given by the people who use the product."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress

from feedback.names import normalise

from ..listeners.locations import MAX_VALUES, Location
from ..listeners.payloads import Unreadable
from .beginnings import find_previous
from .catalogue import ALIASES, CATALOGUES, SUBJECT_NAMES
from .errors import ValueRefused
from .names import nearest
from .scope import FEEDBACK, SUBJECT_KINDS, FieldInfo, RenderContext, Scope
from .tag import Namespace, Resolve, Tag


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
        lambda context: context.subject.form_values.get(key),
        reads=("form_values",),
    )


def _find_external(name: str, scope: Scope) -> Tag | None:
    """Any name will do: nobody knows beforehand what a system responds."""
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
    def resolve(context: RenderContext) -> object:
        data = context.subject.external_data
        if key in data:
            return data[key]
        matches = (value for name, value in data.items() if normalise(name) == key)
        return next(matches, None)

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


def _find_payload(name: str, scope: Scope) -> Tag:
    """Raises ValueError where the name is not a location."""
    location = Location.parse(name)
    return Tag(
        f"Payload: {location.text}",
        "Automation",
        f"What the call that a listener answers to has at {location.text}",
        "",
        "text",
        _payload(location),
        reads_payload=True,
    )


def _payload(location: Location) -> Resolve:
    def resolve(context: RenderContext) -> object:
        if context.payload is None:
            return None
        try:
            values = location.values(context.payload, MAX_VALUES)
        except Unreadable as error:
            raise ValueRefused(f"can't be looked up: {error}".rstrip(".")) from None
        if len(values) > MAX_VALUES:
            raise ValueRefused(f"has more than {MAX_VALUES} values")
        return values[0] if len(values) == 1 else values or None

    return resolve


NAMESPACES: Mapping[str, Namespace] = {
    normalise(namespace.name): namespace
    for namespace in [
        Namespace(
            "Field",
            "Form",
            "An answer on the form, by the field's label or key",
            "((Field: Severity))",
            "text",
            _find_field,
        ),
        Namespace(
            "External",
            "External data",
            "A value another system gave for the ticket or tester, by its name",
            "((External: jira_key))",
            "text",
            _find_external,
        ),
        Namespace(
            "Previous",
            "Automation",
            "What was there before the change that made a trigger start the run: of a"
            " ticket its Status, Title, Description or Visibility, an answer by its"
            " label, or an external value; empty where that did not change",
            "((Previous: Status))",
            "text",
            find_previous,
        ),
        Namespace(
            "Payload",
            "Automation",
            "What another system said when its call made a listener start the run: a"
            " JSONPath into the event, header: X-Name, or query: name; a list where"
            " there are several values, empty where no listener started the run",
            "((Payload: $.issue.key))",
            "text",
            _find_payload,
        ),
        Namespace(
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
    """The tag of a name as its author wrote it, None when there is none.

    Raises ValueError, with a sentence, where a location is not one.
    """
    kind = scope.subject_kind
    prefix, colon, rest = name.partition(":")
    if not colon:
        key = normalise(name)
        return CATALOGUES[kind].get(key) or ALIASES[kind].get(key)
    namespace = NAMESPACES.get(normalise(prefix))
    return None if namespace is None else namespace.find(rest, scope)


def palette(scope: Scope) -> Iterator[Tag]:
    """Every tag an author can choose from."""
    yield from CATALOGUES[scope.subject_kind].values()
    yield from (_field_tag(info) for info in dict.fromkeys(scope.fields.values()))
    yield from (_secret_tag(name) for name in sorted(scope.secrets))


def namespaces(scope: Scope) -> Iterator[Namespace]:
    """Those that the scope's subject has: a tester has no form."""
    for key, namespace in NAMESPACES.items():
        if key != "field" or scope.subject_kind == FEEDBACK:
            yield namespace


def subjects_with_tag(name: str, scope: Scope) -> str:
    """The other subjects that have a tag of this name, in a sentence; or empty."""
    prefix, colon, _ = name.partition(":")
    for other in SUBJECT_KINDS:
        known = normalise(name) in CATALOGUES[other]
        is_field = colon and normalise(prefix) == "field" and other == FEEDBACK
        if other != scope.subject_kind and (known or is_field):
            return SUBJECT_NAMES[other]
    return ""


def nearest_tag(name: str, scope: Scope) -> str | None:
    """The most similar tag, as it is written in a template."""
    labels = [tag.name for tag in palette(scope)]
    prefix, _, own = name.rpartition(":")
    namespace = nearest(prefix, [item.name for item in NAMESPACES.values()])
    with suppress(ValueError):
        meant = namespace and NAMESPACES[normalise(namespace)].find(own, scope)
        if meant:
            return str(meant)
    # `((Severity))` stands for `((Field: Severity))`, and `((Field: Title))` for
    # `((Title))`.
    label = nearest(name, labels) or nearest(own, labels)
    if label is None and (alias := nearest(name, ALIASES[scope.subject_kind])):
        label = ALIASES[scope.subject_kind][alias].name
    return None if label is None else f"(({label}))"
