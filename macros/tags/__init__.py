"""Dynamic tags: templates with `((Name))`, compiled once and rendered per target."""

from .catalogue import CALLED, CATALOGUES
from .compiler import compile_template
from .contexts import MASK, Place
from .errors import Problem, RenderError, TemplateError
from .filters import FILTERS, Filter
from .formatting import format_json
from .names import normalise
from .namespaces import FAMILIES, families, find_tag, palette
from .recipients import compile_recipients
from .scope import FEEDBACK, TARGETS, TESTER, Context, FieldInfo, Scope
from .shown import compile_shown
from .tag import TYPES, Family, Tag
from .template import Template
from .values import is_encodable, to_text

__all__ = [
    "CALLED",
    "CATALOGUES",
    "FAMILIES",
    "FEEDBACK",
    "FILTERS",
    "MASK",
    "TARGETS",
    "TESTER",
    "TYPES",
    "Context",
    "Family",
    "FieldInfo",
    "Filter",
    "Place",
    "Problem",
    "RenderError",
    "Scope",
    "Tag",
    "Template",
    "TemplateError",
    "compile_recipients",
    "compile_shown",
    "compile_template",
    "families",
    "find_tag",
    "format_json",
    "is_encodable",
    "normalise",
    "palette",
    "to_text",
]
