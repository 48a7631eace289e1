"""Who may see and do what: one rule, used by admin, pickers, actions and API.

An actor is a user or whatever else acts for somebody, such as an API key. What it may
do is a list of grants: permissions in a whole community, or in one of its projects.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self, TypeVar

from django.apps import apps
from django.contrib.auth.backends import BaseBackend
from django.db.models import Model, Q, QuerySet

from .roles import PERMISSIONS

M = TypeVar("M", bound=Model)
# Rows that a list names one by one, instead of joining them.
MAX_NAMED = 500


@dataclass(frozen=True, slots=True)
class Access:
    """Permissions in a community; with a project, in that one only."""

    permissions: frozenset[str]
    community: int
    project: int | None = None


@dataclass(frozen=True, slots=True)
class Tenancy:
    """The look-ups from a model to the community and the project its rows are in.

    Without a `project` its rows are the whole community's: a role in one project does
    not reach them. `is_many` says that one of the look-ups may find several. Where both
    begin with one foreign key of very many rows to few, `via` is its name.
    """

    community: str
    project: str = ""
    is_many: bool = False
    via: str = ""

    def within(self, granted: Iterable[Access]) -> Q:
        reached = list(granted)
        where = Q(**{f"{self.community}__in": _communities(reached)})
        if self.project:
            where |= Q(**{f"{self.project}__in": _projects(reached)})
        return where


def _communities(granted: list[Access]) -> list[int]:
    return sorted({each.community for each in granted if each.project is None})


def _projects(granted: list[Access]) -> list[int]:
    return sorted({each.project for each in granted if each.project is not None})


def accesses_of(actor: Any) -> list[Access]:
    """What an actor that is no superuser may do, looked up once for each instance."""
    if not actor.is_active:
        return []
    known: list[Access] | None = getattr(actor, "accesses", None)
    if known is None:
        known = _accesses_by_role(actor) if actor.is_staff else []
        actor.accesses = known
    return known


def _accesses_by_role(user: Any) -> list[Access]:
    grants = apps.get_model("feedback", "Grant").objects.filter(member__user=user)
    rows = grants.values_list("role", "member__community", "project")
    return [
        Access(PERMISSIONS.get(role, frozenset()), community, project)
        for role, community, project in rows
    ]


def is_above_roles(actor: Any) -> bool:
    """Whether the actor is a superuser, who sees and may do everything."""
    return bool(actor.is_active and actor.is_superuser)


def granted_to(actor: Any, permission: str) -> list[Access]:
    """Where an actor that is no superuser has the permission."""
    return [each for each in accesses_of(actor) if permission in each.permissions]


def may(actor: Any, permission: str, row: Model) -> bool:
    """Whether the actor has the permission where this row is."""
    if is_above_roles(actor):
        return True
    rows: Any = type(row)._default_manager.filter(pk=row.pk)
    return bool(rows.visible_to(actor, permission).exists())


def may_in_a_community(actor: Any, permission: str) -> bool:
    """Whether the actor has the permission in a whole community, whichever."""
    return is_above_roles(actor) or any(
        permission in each.permissions and each.project is None
        for each in accesses_of(actor)
    )


def reached_wholly(actor: Any, permission: str) -> Q:
    """Selects the communities in the whole of which the actor has a permission."""
    if is_above_roles(actor):
        return Q()
    return Q(pk__in=_communities(granted_to(actor, permission)))


class ScopedQuerySet(QuerySet[M]):
    """Rows that belong to a tenant; the model's `tenancy` says to which."""

    def visible_to(self, actor: Any, permission: str = "") -> Self:
        """The rows on which the actor has a permission: without one, to view them."""
        if is_above_roles(actor):
            return self
        opts = self.model._meta
        permission = permission or f"{opts.app_label}.view_{opts.model_name}"
        granted = granted_to(actor, permission)
        if not granted:
            return self.none()
        tenancy: Tenancy = self.model.tenancy  # type: ignore[attr-defined]
        where = tenancy.within(granted)
        if not tenancy.is_many:
            return self.filter(where)
        own = self.model._base_manager.filter(where)
        return self.filter(pk__in=own.order_by().values("pk"))

    def listed_for(self, actor: Any) -> Self:
        """The rows that an actor may view, as a list of some of very many wants them.

        What they are reached by is looked up first: a database knows how common each
        value of a column is, but not of what it has yet to join. It would read all rows
        and sort them where an index has them in order.
        """
        model, tenancy = self.model, self.model.tenancy  # type: ignore[attr-defined]
        if not tenancy.via or is_above_roles(actor):
            return self.visible_to(actor)
        owners: Any = model._meta.get_field(tenancy.via).related_model
        view = f"{model._meta.app_label}.view_{model._meta.model_name}"
        reached = owners._default_manager.visible_to(actor, view).order_by()
        keys = list(reached.values_list("pk", flat=True)[: MAX_NAMED + 1])
        if len(keys) > MAX_NAMED:
            return self.visible_to(actor)
        return self.filter(**{f"{tenancy.via}__in": keys})


class RoleBackend(BaseBackend):
    """Gives users Django's permissions by their roles.

    Asked about a row, it says whether the permission holds there; asked without, only
    whether there is any place where it does.
    """

    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        if not user_obj.is_active:
            return False
        if obj is None:
            return any(perm in each.permissions for each in accesses_of(user_obj))
        return hasattr(type(obj), "tenancy") and may(user_obj, perm, obj)

    def has_module_perms(self, user_obj: Any, app_label: str) -> bool:
        return any(
            permission.startswith(f"{app_label}.")
            for each in accesses_of(user_obj)
            for permission in each.permissions
        )
