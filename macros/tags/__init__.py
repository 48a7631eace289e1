"""Dynamic tags: templates with `((Name))`, compiled once and rendered per subject."""

from feedback.names import normalise

from .catalogue import CATALOGUES, SUBJECT_NAMES
from .compiler import compile_template
from .contexts import MASK, OutputContext
from .errors import Problem, RenderError, TemplateError
from .filters import FILTERS, Filter
from .formatting import format_json
from .namespaces import NAMESPACES, find_tag, namespaces, palette
from .recipients import compile_recipients
from .scope import (
    FEEDBACK,
    SUBJECT_KINDS,
    TESTER,
    Beginning,
    FieldInfo,
    RenderContext,
    Scope,
)
from .tag import TYPES, Namespace, Tag
from .template import Template
from .values import is_encodable, to_text
from .visible import compile_without_secrets

__all__ = [
    "SUBJECT_NAMES",
    "CATALOGUES",
    "NAMESPACES",
    "FEEDBACK",
    "FILTERS",
    "MASK",
    "SUBJECT_KINDS",
    "TESTER",
    "TYPES",
    "Beginning",
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
    "compile_without_secrets",
    "compile_template",
    "namespaces",
    "find_tag",
    "format_json",
    "is_encodable",
    "normalise",
    "palette",
    "to_text",
]
