"""A compiled template: what it reads, and its result for one subject."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from urllib.parse import quote_plus

from .contexts import MASK, Layout, Members, OutputContext, Part, Slot
from .errors import Missing, RenderError, ValueRefused
from .filtering import Apply, bounded
from .limits import MAX_RESULT
from .scope import RenderContext
from .tag import Tag
from .values import is_empty, to_text

# One sentence, so that no fault can be told from another by trying.
_UNFIT = "The URL can't be sent with the value of its secret"

# A form encodes what is typed.
_ENCODED_MASK = quote_plus(MASK)

_Part = str | Callable[[RenderContext], str]


@dataclass(frozen=True, slots=True)
class Use:
    """One tag at its position in a template, with its filters."""

    tag: Tag
    filters: tuple[Apply, ...]
    slot: Slot

    def reader(self) -> Callable[[RenderContext], object]:
        resolve, filters = self.tag.resolve, self.filters
        if not filters:
            return resolve

        def read(context: RenderContext) -> object:
            value = resolve(context)
            for apply in filters:
                value = bounded(apply(value), context)
            return value

        return read

    @property
    def needs(self) -> str:
        """The external value without which nothing is left of it, if there is one."""
        namespace, _, name = self.tag.name.partition(": ")
        if namespace != "External":
            return ""
        without = replace(self, tag=replace(self.tag, resolve=lambda context: None))
        empty = _is_empty(without.reader(), RenderContext.for_secrets({}))
        return name if empty else ""

    def stages(self, context: RenderContext) -> Iterator[str]:
        """The value as it is after each filter, and as it goes out at last."""
        value = self.tag.resolve(context)
        with suppress(ValueRefused):
            for apply in self.filters:
                value = bounded(apply(value), context)
                yield to_text(value)
            for escape in (*self.slot.inner, self.slot.escape):
                value = escape(value)
                yield to_text(value)

    def writer(self) -> Callable[[RenderContext], str]:
        read, escape, name = self.reader(), self.slot.chained(), self.tag.name
        secret = self.tag.secret

        def write(context: RenderContext) -> str:
            try:
                return escape(read(context))
            except ValueRefused as refused:
                why = "can't be sent as it is" if secret else refused
                raise RenderError(name, f"The tag (({name})) {why}.") from None

        return write


class Template:
    """A compiled template. It keeps no state of a subject, so threads may share it."""

    def __init__(
        self,
        source: str,
        output: OutputContext,
        static_prefix: str,
        layout: Layout,
        uses: Sequence[Use],
    ) -> None:
        self.source = source
        self.output = output
        self.tags = tuple(dict.fromkeys(use.tag.name for use in uses))
        self.reads = frozenset(column for use in uses for column in use.tag.reads)
        # Normalised names, as in RenderContext.secrets.
        self.secrets = frozenset(
            use.tag.name.partition(": ")[2] for use in uses if use.tag.secret
        )
        self.uses_secrets = bool(self.secrets)
        # The text before the first tag: with a whole host in it, no value changes that.
        self.static_prefix = static_prefix
        # What somebody typed into it and looks like a credential.
        self.typed: frozenset[str] = frozenset()
        self._shown: list[_Part] | None = None
        self._check = layout.check
        # Whether a secret has a value is not for people to be told.
        self._readers = [
            (use.tag.name, use.reader()) for use in uses if not use.tag.secret
        ]
        self._uses = uses
        self._parts, self._masked = _fill(layout, uses)

    @classmethod
    def literal(cls, text: str) -> Template:
        """A template that renders as this very text, whatever stands in it."""
        return cls(text, OutputContext.TEXT, text, Layout([text]), [])

    def show_as(self, shown: Template, typed: frozenset[str]) -> None:
        """People see another template's result, in which `typed` is masked."""
        self.typed = typed
        self._shown = [
            part.replace(_ENCODED_MASK, MASK) if isinstance(part, str) else part
            for part in shown._masked
        ]

    def __repr__(self) -> str:
        return f"<Template for {self.output}: {', '.join(self.tags) or 'no tags'}>"

    @property
    def reads_change(self) -> bool:
        return any(use.tag.reads_change for use in self._uses)

    @property
    def reads_payload(self) -> bool:
        return any(use.tag.reads_payload for use in self._uses)

    @property
    def hides(self) -> bool:
        """Whether people see another result than what is sent."""
        return self.uses_secrets or self._shown is not None

    @cached_property
    def needs(self) -> frozenset[str]:
        """The external values that it can't do without."""
        return frozenset(use.needs for use in self._uses) - {""}

    @property
    def fixed(self) -> str | None:
        """What it renders for every subject, if it has no tag."""
        return None if self.tags else "".join(map(str, self._parts))

    def render(self, context: RenderContext) -> str:
        """The result for one subject. Raises RenderError."""
        context.filtered = 0
        result = _join(self._parts, context)
        if self._check is not None:
            try:
                self._check(result)
            except ValueRefused as refused:
                why = _UNFIT if self.uses_secrets else refused
                raise RenderError(None, f"{why}.") from None
        return result

    def value(self, context: RenderContext) -> object:
        """The same, but what is exactly one tag in its own type. Raises RenderError."""
        if len(self._parts) != 1 or not self._uses:
            return self.render(context)
        context.filtered = 0
        [use] = self._uses
        try:
            return use.reader()(context)
        except ValueRefused as refused:
            name = use.tag.name
            raise RenderError(name, f"The tag (({name})) {refused}.") from None

    def render_masked(self, context: RenderContext) -> str:
        """The result as people may see it, MASK for each secret. Raises RenderError."""
        context.filtered = 0
        if self._shown is not None:
            return _join(self._shown, context)
        if not self.uses_secrets:
            return self.render(context)
        # Not checked: a mask in the place of a host is not a fault.
        return _join(self._masked, context)

    def sent_secrets(self, secrets: Mapping[str, str]) -> Iterator[str]:
        """Each secret as it goes out, with its filters and escapes, and between them.

        A receiver may undo some of them.
        """
        context = RenderContext.for_secrets(secrets)
        for use in self._uses:
            if use.tag.secret:
                yield from use.stages(context)

    def empty_tags(self, context: RenderContext) -> list[str]:
        """The tags without a value for this subject once filters are done.

        A secret is never among them.
        """
        context.filtered = 0
        empty = (name for name, read in self._readers if _is_empty(read, context))
        return list(dict.fromkeys(empty))


def _fill(layout: Layout, uses: Sequence[Use]) -> tuple[list[_Part], list[_Part]]:
    """The parts of the result with the uses in its slots, and the same masked."""
    by_start = {use.slot.tag.start: use for use in uses}
    return (
        _written(layout.parts, by_start, is_masked=False),
        _written(layout.parts, by_start, is_masked=True),
    )


def _written(
    parts: Iterable[Part], uses: Mapping[int, Use], is_masked: bool
) -> list[_Part]:
    written: list[_Part] = []
    for part in parts:
        if isinstance(part, str):
            written.append(part)
        elif isinstance(part, Members):
            written.append(_members_writer(part, uses, is_masked))
        else:
            use = uses[part.tag.start]
            hides = is_masked and use.tag.secret
            written.append(part.mask if hides else use.writer())
    return written


def _members_writer(
    members: Members, uses: Mapping[int, Use], is_masked: bool
) -> Callable[[RenderContext], str]:
    made = [
        (
            member.comma,
            [uses[tag.start].reader() for tag in member.omitted_by],
            _written(member.parts, uses, is_masked),
        )
        for member in members.members
    ]

    def write(context: RenderContext) -> str:
        texts: list[str] = []
        for comma, readers, parts in made:
            if any(_is_empty(read, context) for read in readers):
                continue
            texts.append(comma if texts else "")
            texts.append(_join(parts, context))
        return "".join(texts)

    return write


def _join(parts: list[_Part], context: RenderContext) -> str:
    if len(parts) == 1 and isinstance(parts[0], str):
        return parts[0]  # As of most headers.
    texts = []
    length = 0
    for part in parts:
        text = part if isinstance(part, str) else part(context)
        length += len(text)
        if length > MAX_RESULT:
            message = f"With its values it is longer than {MAX_RESULT:,} characters."
            raise RenderError(None, message)
        texts.append(text)
    return "".join(texts)


def _is_empty(read: Callable[[RenderContext], object], context: RenderContext) -> bool:
    try:
        return is_empty(read(context))
    except Missing:
        return True
    except ValueRefused:
        return False
