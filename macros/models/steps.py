from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar

from django.apps import apps
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import models
from django.db.models import Q, QuerySet

from feedback.access.actors import ScopedQuerySet, Tenancy
from feedback.access.keys import Actor
from feedback.access.privacy import NOTHING_PERSONAL

from ..tags import OutputContext, normalise
from .secrets import secrets_tagged_in

if TYPE_CHECKING:
    from .macros import Macro

# What a step does, in plain JSON: its settings by name.
Settings = Mapping[str, Any]
# Field -> problems; a ValidationError may say in `params` where the problem is.
Problems = Mapping[str, Sequence[str | ValidationError]]

S = TypeVar("S", bound="Step")


class StepQuerySet(ScopedQuerySet[S]):
    def visible_to(self, actor: Actor, permission: str = "") -> Self:
        """The permissions on steps hold for every kind."""
        return super().visible_to(actor, permission or "macros.view_step")

    def needing_key(self) -> Self:
        """The steps that stop when the community's last valid API key does."""
        kinds = [kind for kind in step_kinds().values() if kind.NEEDS_API_KEY]
        own = (Q(**{f"{kind.accessor()}__isnull": False}) for kind in kinds)
        return self.filter(reduce(or_, own, Q(pk__in=[])), is_active=True)


class Step(models.Model):
    """One thing that a macro does; each kind is a model of its own below this one.

    Here is what is stored of a step and how it is read. What a kind does with it is
    said by `macros.steps.kind.StepKind`, which all kinds extend.
    """

    # The kind's name in snapshots and files, and the names of its fields that say what
    # it does.
    kind: ClassVar[str]
    SETTINGS: ClassVar[tuple[str, ...]]
    # Settings that are rows of the macro's feedback type -> the column that names them.
    NAMED_BY: ClassVar[Mapping[str, str]] = {}
    # Settings that name a secret.
    SECRET_NAMES: ClassVar[tuple[str, ...]] = ()
    # Settings of lines such as `name=value` that know no tags, so that a credential in
    # them can't be replaced by the tag of a secret.
    UNTAGGED_LINES: ClassVar[tuple[str, ...]] = ()
    # The setting that is the URL it sends to.
    URL_SETTING: ClassVar[str] = ""
    # Whether a user macro, which has no type and runs on testers, may have it.
    IS_FOR_TESTERS: ClassVar[bool] = True
    # Whether it works only while the community has a valid API key.
    NEEDS_API_KEY: ClassVar[bool] = False

    macro: models.ForeignKey[Macro, Macro] = models.ForeignKey(
        "macros.Macro", models.CASCADE, related_name="steps"
    )
    position = models.PositiveSmallIntegerField(default=0)
    is_active = models.BooleanField(
        "on", default=True, help_text="A step that is off is left out of every run."
    )

    tenancy = Tenancy("macro__community", "macro__project")
    privacy = NOTHING_PERSONAL
    objects = StepQuerySet["Step"].as_manager()

    class Meta:
        ordering = ["position", "pk"]

    def __str__(self) -> str:
        return f"Step {self.position} of {self.macro}"

    @classmethod
    def accessor(cls) -> str:
        """The attribute of a step that gives it as this kind."""
        return str(cls._meta.model_name)

    @classmethod
    def label(cls) -> str:
        """The kind's name in a sentence."""
        return str(cls._meta.verbose_name)

    def audit_name(self) -> str:
        """The step's name in the audit log, without what people wrote."""
        return str(self)

    @property
    def concrete(self) -> Step:
        """The step as its own kind."""
        for kind in step_kinds().values():
            step: Step | None = getattr(self, kind.accessor(), None)
            if step is not None:
                return step
        raise TypeError(f"{self} is of no known kind.")

    @classmethod
    def secret_templates(cls, settings: Settings) -> Mapping[str, OutputContext]:
        """The settings in which tags of secrets may stand, and how each is read.

        The settings may come from a file that nobody has checked.
        """
        return {}

    @classmethod
    def may_use_secrets(cls) -> bool:
        return bool(cls.SECRET_NAMES or cls.secret_templates({}))

    @classmethod
    def secrets_in(cls, settings: Settings) -> list[str]:
        """The normalised names of the secrets that a step uses, each once."""
        names: list[str] = []
        for name in cls.secret_templates(settings):
            text = settings.get(name)
            names += secrets_tagged_in(text) if isinstance(text, str) else ()
        names += (normalise(str(settings.get(each) or "")) for each in cls.SECRET_NAMES)
        return [name for name in dict.fromkeys(names) if name]

    @classmethod
    def url_in(cls, settings: Settings) -> str:
        """The template of the URL it sends to; empty where it sends to none."""
        return str(settings.get(cls.URL_SETTING) or "").strip()

    @classmethod
    def with_url_of(cls, settings: Settings) -> QuerySet[Step]:
        """The stored steps of the kind that send to the very URL of these settings."""
        if not cls.URL_SETTING:
            return cls._default_manager.none()
        return cls._default_manager.filter(
            **{cls.URL_SETTING: settings[cls.URL_SETTING]}
        )

    def settings(self) -> dict[str, Any]:
        """What it does, in plain JSON; other rows are given by their names."""
        return {name: self._setting(name) for name in self.SETTINGS}

    def _setting(self, name: str) -> object:
        value = getattr(self, name)
        return getattr(value, self.NAMED_BY[name]) if name in self.NAMED_BY else value

    def snapshot(self) -> dict[str, Any]:
        return {"kind": self.kind, **self.settings()}

    def document(self) -> dict[str, Any]:
        """As versions and files keep it; only a step that is off says so."""
        off = {} if self.is_active else {"is_active": False}
        return {**self.snapshot(), **off}

    @classmethod
    def restore(cls, macro: Macro, settings: Settings) -> Step:
        """A step, checked and not yet saved, of what `document()` once gave.

        What is missing keeps its default, and a name is looked up in the macro's type.
        Raises ValidationError with the problems of each member.
        """
        values: dict[str, Any] = {}
        problems: dict[str, list[str]] = {}
        for name, value in settings.items():
            try:
                values[name] = cls._restored(macro, name, value)
            except ValidationError as error:
                problems[name] = error.messages
        if problems:
            raise ValidationError(problems)
        step = cls(macro=macro, **values)
        step.full_clean(exclude=["step_ptr", "macro"])
        return step

    @classmethod
    def _restored(cls, macro: Macro, name: str, value: object) -> object:
        if name not in (*cls.SETTINGS, "is_active"):
            raise ValidationError(f"A {cls.label()} has no setting '{name}'.")
        if name in cls.NAMED_BY:
            return cls._row_named(macro, name, str(value))
        field: Any = cls._meta.get_field(name)
        if not isinstance(field, models.JSONField):
            _check_type(value, field.get_default())
        return value

    @classmethod
    def _row_named(cls, macro: Macro, name: str, value: str) -> models.Model:
        field: Any = cls._meta.get_field(name)
        model: type[models.Model] = field.remote_field.model
        rows = model._default_manager.filter(feedback_type=macro.feedback_type_id)
        column = cls.NAMED_BY[name]
        row = rows.filter(**{column: value}).first()
        row = row or rows.filter(**{f"{column}__iexact": value}).first()
        if row is None:
            label = model._meta.verbose_name
            raise ValidationError(f"The feedback type has no {label} '{value}'.")
        return row

    def clean(self) -> None:
        """Refuse what could never be done, each fault on the field it is in."""
        macro = getattr(self, "macro", None)
        if macro is None or not macro.has_owner:
            return  # The macro itself is refused for it, or the form for having none.
        if macro.feedback_type_id is None and not self.IS_FOR_TESTERS:
            problem = f"A user macro runs on testers, which have no {self.label()}."
            raise ValidationError({NON_FIELD_ERRORS: [problem]})
        problems = {
            name: list(each) for name, each in self.problems(macro).items() if each
        }
        if problems:
            raise ValidationError(problems)

    def problems(self, macro: Macro) -> Problems:
        """What is wrong with each field in this macro. Implemented by the kinds."""
        return {}


def _check_type(value: object, like: object) -> None:
    if isinstance(like, bool):
        fits, wanted = isinstance(value, bool), "true or false"
    elif isinstance(like, int):
        fits, wanted = type(value) is int, "a whole number"
    else:
        fits, wanted = isinstance(value, str), "text"
    if not fits:
        raise ValidationError(f"Give {wanted}.")


def kind_accessors() -> list[str]:
    """What to select along with steps, so that `concrete` asks for nothing more.

    Nor does what a step says of itself, with the names of other rows.
    """
    kinds = step_kinds().values()
    named = [f"{each.accessor()}__{name}" for each in kinds for name in each.NAMED_BY]
    return [*(each.accessor() for each in kinds), *named]


def step_kinds() -> dict[str, type[Step]]:
    """Name -> kind. The kinds are the models that extend Step and have a table."""
    models_ = (each for each in apps.get_models() if issubclass(each, Step))
    return {each.kind: each for each in models_ if each is not Step}


def kind_named(name: object) -> type[Step] | None:
    """The kind of this name, which may come from a file that nobody has checked."""
    return step_kinds().get(name) if isinstance(name, str) else None
