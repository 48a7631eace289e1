"""A project's types and macros as one document."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.db.models import Q, QuerySet

from feedback.formats import CONFIG_FILE
from feedback.models import Community, DataPackage, FeedbackType, Filter, Project

from ..models import Listener, Macro, Secret
from .automations import KINDS, automation_documents
from .concealing import Concealer
from .filters import filter_document
from .listener_files import listener_document
from .named_secrets import secret_names
from .outbound_files import lookup_document, package_document
from .source_files import source_document
from .writing import Document, macro_document, type_document


def export_project(
    project: Project,
    *,
    types: Sequence[FeedbackType] | None = None,
    macros: Sequence[Macro] | None = None,
    conceal: bool = True,
) -> Document:
    """A document of the whole project, or of the named types and macros only.

    Credentials that somebody typed into a web request become secrets, unless `conceal`
    is off: values of secrets are in no document. Raises ConfigRefused where one can't
    be taken out.
    """
    usable = Secret.objects.usable_in(project.community_id, project.pk)
    names = set(usable.values_list("key", flat=True))
    vault = Secret.objects.open(project.community_id, project.pk, names)
    concealer = Concealer(vault) if conceal else None
    parts = _types_and_macros(project, types, macros, concealer)
    return _whole(project, parts, usable, concealer)


def export_macro(macro: Macro) -> Document:
    """A document of one macro with its type, or of a user macro alone.

    A project imports it, also that of a macro of a whole community. Raises
    ConfigRefused, as above.
    """
    if macro.project is not None:
        return export_project(macro.project, macros=[macro])
    usable = Secret.objects.usable_in(macro.community_id, None)
    names = set(usable.values_list("key", flat=True))
    concealer = Concealer(Secret.objects.open(macro.community_id, None, names))
    own = Filter.objects.filter(community=macro.community_id, project=None)
    mine = Macro.objects.filter(pk=macro.pk)
    parts: Document = {
        "types": [],
        "filters": _filters(_used_by(mine, own)),
        "user_macros": _macros(mine, concealer),
        "listeners": [],
        "packages": [],
        "lookups": [],
    }
    return _whole(macro.community, parts, usable, concealer)


def _whole(
    owner: Project | Community,
    parts: Document,
    usable: Iterable[Secret],
    concealer: Concealer | None,
) -> Document:
    description = owner.description if isinstance(owner, Project) else ""
    document: Document = {
        "centerhook": {"format": CONFIG_FILE},
        "project": {"name": owner.name, "description": description},
        **parts,
    }
    hosts = dict(concealer.hosts) if concealer else {}
    # The project's own come last: they win over the community's of the same name.
    rivals = sorted(usable, key=lambda each: each.project_id is not None)
    hosts |= {each.key: each.hosts.split() for each in rivals}
    document["secrets"] = [
        {"name": name, "hosts": hosts.get(name, [])} for name in secret_names(document)
    ]
    return document


def _types_and_macros(
    project: Project,
    types: Sequence[FeedbackType] | None,
    macros: Sequence[Macro] | None,
    concealer: Concealer | None,
) -> Document:
    mine = Macro.objects.filter(project=project).order_by("name")
    rows = project.feedback_types.all()
    filters = _filters_of(project, types, macros)
    if macros is not None:
        mine = mine.filter(pk__in=[each.pk for each in macros])
        rows = rows.filter(macros__in=mine).distinct()
    users = mine.filter(feedback_type=None) if types is None else mine.none()
    documents = [
        {
            **type_document(each),
            "filters": _filters(filters.filter(feedback_type=each)),
            "macros": _macros(mine.filter(feedback_type=each), concealer),
            **(_beside_macros(each, concealer) if macros is None else {}),
        }
        for each in (rows if types is None else types)
    ]
    return {
        "types": documents,
        "filters": _filters(filters.filter(feedback_type=None)),
        "user_macros": _macros(users, concealer),
        **_wide(project, concealer, is_whole=types is None and macros is None),
    }


def _wide(project: Project, concealer: Concealer | None, *, is_whole: bool) -> Document:
    """What is of no one type, and comes with a whole project only."""
    listeners = project.listeners.filter(feedback_type=None)
    packages = project.packages.filter(feedback_type=None)
    lookups = project.lookups.filter(feedback_type=None)
    return {
        "listeners": _listeners(listeners, concealer) if is_whole else [],
        "packages": [*map(package_document, packages)] if is_whole else [],
        "lookups": [*map(lookup_document, lookups)] if is_whole else [],
    }


def _filters_of(
    project: Project,
    types: Sequence[FeedbackType] | None,
    macros: Sequence[Macro] | None,
) -> QuerySet[Filter]:
    """All of them; of what is named, its own and those that it can't do without."""
    rows: QuerySet[Filter] = Filter.objects.filter(project=project)
    if macros is not None:
        return _used_by(Macro.objects.filter(pk__in=[m.pk for m in macros]), rows)
    if types is None:
        return rows
    used = _used_by(Macro.objects.filter(feedback_type__in=types), rows)
    needed = Q(feedback_type__in=types) | Q(pk__in=used.values("pk"))
    for model in (Listener, DataPackage):
        own = model._default_manager.filter(feedback_type__in=types).order_by()
        needed |= Q(pk__in=own.values("filter"))
    return rows.filter(needed)


def _used_by(macros: QuerySet[Macro], filters: QuerySet[Filter]) -> QuerySet[Filter]:
    """Those of the filters that the macros' triggers and schedules select by."""
    used = Q()
    for kind in KINDS.values():
        rows = kind._default_manager.filter(macro__in=macros.order_by())
        used |= Q(pk__in=rows.order_by().values("filter"))
    return filters.filter(used)


def _filters(rows: Iterable[Filter]) -> list[Document]:
    return [filter_document(each) for each in rows]


def _macros(rows: Iterable[Macro], concealer: Concealer | None) -> list[Document]:
    documents = []
    for each in rows:
        document = macro_document(each)
        if concealer is not None:
            document = concealer.conceal(document)
        documents.append(document | automation_documents(each))
    return documents


def _beside_macros(of: FeedbackType, concealer: Concealer | None) -> Document:
    return {
        "listeners": _listeners(of.listeners.all(), concealer),
        "sources": [source_document(each) for each in of.sources.all()],
        "packages": [package_document(each) for each in of.packages.all()],
        "lookups": [lookup_document(each) for each in of.lookups.all()],
    }


def _listeners(rows: Iterable[Listener], concealer: Concealer | None) -> list[Document]:
    documents = map(listener_document, rows)
    return [concealer.mask(each) if concealer else each for each in documents]
