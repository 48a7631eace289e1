"""Dynamic tags: templates with `((Name))`, compiled once and rendered per target."""

from .catalogue import CATALOGUE, TYPES, Family, Tag
from .compiler import compile_template
from .errors import Problem, RenderError, TemplateError
from .families import FAMILIES, palette
from .filters import FILTERS, Filter
from .names import normalise
from .places import MASK, Place
from .recipients import compile_recipients
from .scope import Context, FieldInfo, Scope
from .shown import compile_shown
from .template import Template

__all__ = [
    "CATALOGUE",
    "FAMILIES",
    "FILTERS",
    "MASK",
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
    "normalise",
    "palette",
]
