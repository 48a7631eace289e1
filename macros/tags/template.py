"""A compiled template: what it reads, and its result for one subject."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .contexts import Layout, OutputContext, Slot
from .errors import Missing, RenderError, ValueRefused
from .filters import Apply
from .scope import RenderContext
from .tag import Tag
from .values import is_empty

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
                value = apply(value)
            return value

        return read

    def writer(self) -> Callable[[RenderContext], str]:
        read, escape, name = self.reader(), self.slot.escape, self.tag.name

        def write(context: RenderContext) -> str:
            try:
                return escape(read(context))
            except ValueRefused as refused:
                message = f"The tag (({name})) {refused}."
                raise RenderError(name, message) from None

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
        self._check = layout.check
        self._readers = [(use.tag.name, use.reader()) for use in uses]
        self._parts, self._masked = _fill(layout, uses)

    @classmethod
    def literal(cls, text: str) -> Template:
        """A template that renders as this very text, whatever stands in it."""
        return cls(text, OutputContext.TEXT, text, Layout([text]), [])

    def __repr__(self) -> str:
        return f"<Template for {self.output}: {', '.join(self.tags) or 'no tags'}>"

    @property
    def fixed(self) -> str | None:
        """What it renders for every subject, if it has no tag."""
        return None if self.tags else "".join(map(str, self._parts))

    def render(self, context: RenderContext) -> str:
        """The result for one subject. Raises RenderError."""
        result = _join(self._parts, context)
        if self._check is not None:
            try:
                self._check(result)
            except ValueRefused as refused:
                raise RenderError(None, f"{refused}.") from None
        return result

    def render_masked(self, context: RenderContext) -> str:
        """The result as people may see it, MASK for each secret. Raises RenderError."""
        if not self.uses_secrets:
            return self.render(context)
        # Not checked: a mask in the place of a host is not a fault.
        return _join(self._masked, context)

    def empty_tags(self, context: RenderContext) -> list[str]:
        """The tags that have no value for this subject once filters are done."""
        empty = (name for name, read in self._readers if _is_empty(read, context))
        return list(dict.fromkeys(empty))


def _fill(layout: Layout, uses: Sequence[Use]) -> tuple[list[_Part], list[_Part]]:
    """The parts of the result with the uses in its slots, and the same masked."""
    parts: list[_Part] = []
    masked: list[_Part] = []
    next_uses = iter(uses)
    for part in layout.parts:
        if isinstance(part, str):
            parts.append(part)
            masked.append(part)
        else:
            use = next(next_uses)
            write = use.writer()
            parts.append(write)
            masked.append(part.mask if use.tag.secret else write)
    return parts, masked


def _join(parts: list[_Part], context: RenderContext) -> str:
    if len(parts) == 1 and isinstance(parts[0], str):
        return parts[0]  # As of most headers.
    return "".join([part if isinstance(part, str) else part(context) for part in parts])


def _is_empty(read: Callable[[RenderContext], object], context: RenderContext) -> bool:
    try:
        return is_empty(read(context))
    except Missing:
        return True
    except ValueRefused:
        return False
