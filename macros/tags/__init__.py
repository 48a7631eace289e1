"""Dynamic tags: templates with `((Name))`, compiled once and rendered per subject."""

from .catalogue import CALLED, CATALOGUES
from .compiler import compile_template
from .contexts import MASK, OutputContext
from .errors import Problem, RenderError, TemplateError
from .filters import FILTERS, Filter
from .formatting import format_json
from .names import normalise
from .namespaces import NAMESPACES, find_tag, namespaces, palette
from .recipients import compile_recipients
from .scope import FEEDBACK, SUBJECT_KINDS, TESTER, FieldInfo, RenderContext, Scope
from .shown import compile_shown
from .tag import TYPES, Namespace, Tag
from .template import Template
from .values import is_encodable, to_text

__all__ = [
    "CALLED",
    "CATALOGUES",
    "NAMESPACES",
    "FEEDBACK",
    "FILTERS",
    "MASK",
    "SUBJECT_KINDS",
    "TESTER",
    "TYPES",
    "RenderContext",
    "Namespace",
    "FieldInfo",
    "Filter",
    "OutputContext",
    "Problem",
    "RenderError",
    "Scope",
    "Tag",
    "Template",
    "TemplateError",
    "compile_recipients",
    "compile_shown",
    "compile_template",
    "namespaces",
    "find_tag",
    "format_json",
    "is_encodable",
    "normalise",
    "palette",
    "to_text",
]
