"""A run's macro, ready to work, and what the tags of one delivery read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from types import MappingProxyType
from typing import Any

from django.db.models import QuerySet

from feedback import formats
from feedback.links import link_to
from feedback.models import Feedback, SubjectKind, Tester
from logs.models import Cause, Destination, Run, RunChange, RunPayload, delivery_id

from ..auth.authentication import tls_options
from ..http import TlsOptions
from ..listeners.payloads import Payload, kept_payload
from ..models.secrets import Secret, Vault
from ..retries import RetryPolicy
from ..tags import Beginning, FieldInfo, RenderContext, Scope
from .compiled import CompiledStep, Transport
from .kind import compile_step


@dataclass
class Plan:
    """A run's macro, ready to work."""

    macro: str
    policy: RetryPolicy
    steps: list[CompiledStep]
    vault: Vault = field(default_factory=Vault)
    subject_kind: SubjectKind = SubjectKind.FEEDBACK
    _tls: dict[tuple[str, str, str], TlsOptions] = field(
        default_factory=dict, repr=False
    )

    @cached_property
    def origins(self) -> set[str] | None:
        """Where its requests go, if no subject can change that."""
        requests = (step for step in self.steps if step.transport is Transport.HTTP)
        origins = {step.origin for step in requests}
        return None if None in origins else {origin for origin in origins if origin}

    @property
    def is_all_requests(self) -> bool:
        """False where something can be done even if no destination takes anything."""
        return all(step.transport is Transport.HTTP for step in self.steps)

    def next_in_need(self, step: int, names: Iterable[str]) -> int | None:
        """The first later step that can't do without one of these external values."""
        wanted = frozenset(names)
        later = range(step + 1, len(self.steps))
        return next((at for at in later if self.steps[at].needs & wanted), None)

    def tls_for(self, destination: Destination | None) -> TlsOptions | None:
        """Raises RenderError where the key of a client certificate can't be had."""
        if destination is None:
            return None
        key = (
            destination.ca_certificates,
            destination.client_certificate,
            destination.client_key_secret,
        )
        if not any(key):
            return None
        if key not in self._tls:
            self._tls[key] = tls_options(destination)
        return self._tls[key]

    @classmethod
    def from_snapshot(cls, snapshot: Mapping[str, Any]) -> Plan:
        """Compile the steps and open the secrets that they use.

        Raises TemplateError and NewerFormat.
        """
        formats.check(snapshot.get("format"), formats.RUN, "The run")
        fields = [FieldInfo(**info) for info in snapshot["fields"]]
        kind = SubjectKind(snapshot.get("subject_kind", SubjectKind.FEEDBACK))
        scope = Scope.of(fields, snapshot.get("secrets", ()), kind)
        steps = [compile_step(step, scope) for step in snapshot["steps"]]
        names = frozenset[str]().union(*(step.secrets for step in steps))
        owners = snapshot["community"], snapshot["project"]
        vault = Secret.objects.open(*owners, names) if names else Vault()
        vault = vault.watching(each for step in steps for each in step.templates)
        for step in steps:
            step.unlock(vault)
        policy = RetryPolicy.from_snapshot(snapshot)
        return cls(snapshot["macro"], policy, steps, vault, kind)

    def load_subjects(self, pks: Iterable[int]) -> dict[int, Feedback | Tester]:
        """With the columns that the templates read alone; who was erased is nobody."""
        rows: QuerySet[Any] = Feedback.objects.all()
        if self.subject_kind == SubjectKind.TESTER:
            rows = Tester.objects.filter(erased_at=None)
        related = {path.rpartition("__")[0] for path in self._reads} - {""}
        rows = rows.filter(pk__any_of=list(pks)).only("pk", *self._reads)
        if related:
            rows = rows.select_related(*related)
        return {row.pk: row for row in rows.order_by()}

    @cached_property
    def reads_change(self) -> bool:
        """Whether it says what had changed when the run was started by that."""
        templates = (each for step in self.steps for each in step.templates)
        return any(each.reads_change for each in templates)

    @cached_property
    def reads_payload(self) -> bool:
        """Whether it says what a listener's event said."""
        templates = (each for step in self.steps for each in step.templates)
        return any(each.reads_payload for each in templates)

    def load_payload(self, run: Run) -> Payload | None:
        """What the run keeps of the event, if that is read.

        An erasure may have taken it: then there is nothing to read.
        """
        if not self.reads_payload:
            return None
        kept = RunPayload.objects.filter(run=run).first()
        return kept_payload(kept.text) if kept else None

    def load_changes(self, run: Run, pks: Iterable[int]) -> dict[int, RunChange]:
        """What the run keeps of the change of each subject, if that is read."""
        if not self.reads_change:
            return {}
        rows = RunChange.objects.filter(**{f"{run.subject_kind}__in": list(pks)})
        return {row.subject_id: row for row in rows.filter(run=run)}

    @property
    def _reads(self) -> set[str]:
        return {
            path
            for step in self.steps
            for template in step.templates
            for path in template.reads
        }


def context_for(
    subject: Feedback | Tester,
    run: Run,
    pk: int,
    now: datetime,
    secrets: Mapping[str, str] = MappingProxyType({}),
    change: RunChange | None = None,
    payload: Payload | None = None,
) -> RenderContext:
    """What the tags of one delivery read; `pk` is the delivery's, 0 in a preview.

    `secrets` are the values of the plan's vault.
    """
    model = type(subject)
    return RenderContext(
        subject=subject,
        subject_url=url_of(subject),
        macro=run.macro_name,
        run_id=str(run.pk or "preview"),
        delivery_id=delivery_id(run.key, pk),
        now=now,
        secrets=secrets,
        project=run.project.name if model is Tester and run.project else "",
        beginning=_beginning(run, change),
        # What one delivery looks up takes nothing from another.
        payload=payload and payload.with_data(payload.data),
    )


def _beginning(run: Run, change: RunChange | None) -> Beginning:
    trigger = run.cause_name if run.cause == Cause.TRIGGER else ""
    if change is None:
        return Beginning(trigger, run.scheduled_for)
    return Beginning(
        trigger, run.scheduled_for, change.before, change.fields, change.by
    )


def url_of(subject: Feedback | Tester) -> str:
    """The address of its page."""
    return link_to(type(subject), subject.pk)
