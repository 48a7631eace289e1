"""Steps of a run: compiled once from a snapshot, and done for each subject."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import ClassVar, Self

from feedback.changes import Change, ChangeChecker
from logs.models import Attempt
from logs.redaction import MASK, header_lines, mask_header, mask_url

from ..auth.credentials import Credentials
from ..extraction import ReturnValue
from ..http import Request
from ..models.secrets import Vault
from ..retries import WaitCondition
from ..tags import RenderContext, RenderError, Template
from .dry_run import DryRunRow, RequestPreview


class Transport(Enum):
    """How a request leaves."""

    HTTP = "http"
    MAIL = "mail"


@dataclass(slots=True)
class Outgoing:
    """A request to send, and the same as people may see it, secrets masked."""

    request: Request
    masked: Request
    transport: Transport
    # Added when it goes out.
    credentials: Credentials | None = None


class CompiledStep(ABC):
    """A step as the engine and the previews know it; a kind of step extends it.

    `compile()` of the kind makes it, `unlock()` gives it its secrets, and `build()` is
    called once per subject, in one thread.
    """

    # How it leaves. None: nothing does, it is a change that is made when it is
    # recorded, so that a worker that dies in between has changed nothing.
    transport: ClassVar[Transport | None] = None
    # What of a response is stored.
    returns: tuple[ReturnValue, ...] = ()
    # Responses by which its destination asks to be left alone, besides the usual ones.
    waits: tuple[WaitCondition, ...] = ()
    vault: Vault = Vault()

    @property
    @abstractmethod
    def templates(self) -> list[Template]:
        """All of its templates, which say what it reads of a subject."""

    @property
    @abstractmethod
    def words(self) -> str:
        """What it does, as a sentence without its full stop."""

    @abstractmethod
    def build(self, context: RenderContext) -> Outgoing | Change:
        """What is to be done for a subject. Raises RenderError."""

    @abstractmethod
    def dry_run(
        self, context: RenderContext, row: DryRunRow, checker: ChangeChecker
    ) -> None:
        """Say on the row what would be done, and change its subject in memory.

        The steps after it see the subject so. Raises RenderError.
        """

    @cached_property
    def secrets(self) -> frozenset[str]:
        """The names of all secrets that it uses."""
        return frozenset[str]().union(*(each.secrets for each in self.templates))

    @cached_property
    def needs(self) -> frozenset[str]:
        """The names of external values that it can't do without."""
        return frozenset[str]().union(*(each.needs for each in self.templates))

    @property
    def origin(self) -> str | None:
        """Where its requests go, if no subject can change that."""
        return None

    def unlock(self, vault: Vault) -> None:
        """Give it the values of its secrets; without, it can't render any."""
        self.vault = vault

    def repeat(self, sent: Attempt | None) -> CompiledStep:
        """The step bound to the request of an attempt. Raises RenderError.

        What sends nothing is done anew.
        """
        return self

    def preview(self, context: RenderContext) -> RequestPreview | None:
        """The request as it may be shown; None where it sends none."""
        return None

    def empty_tags(self, context: RenderContext) -> list[str]:
        """The tags that have no value for this subject."""
        tags = (tag for item in self.templates for tag in item.empty_tags(context))
        return list(dict.fromkeys(tags))


class CompiledRequest(CompiledStep):
    """A step that sends a request, by whichever transport."""

    transport: ClassVar[Transport]
    # What people call its requests.
    title: ClassVar[str]

    @abstractmethod
    def render(self, context: RenderContext) -> Request:
        """The request as it is sent, but for its credentials. Raises RenderError."""

    @abstractmethod
    def render_masked(self, context: RenderContext) -> Request:
        """The request as people may see it, secrets masked. Raises RenderError."""

    @abstractmethod
    def bound_to(self, sent: Attempt) -> Self:
        """The same step with what the log has in place of its templates."""

    @property
    def credentials(self) -> Credentials | None:
        return None

    def build(self, context: RenderContext) -> Outgoing:
        request = self.render(context)
        masked = self.render_masked(context) if self._hides else request
        return Outgoing(request, masked, self.transport, self.credentials)

    @cached_property
    def _hides(self) -> bool:
        """Whether people see another request than what is sent."""
        return bool(self.secrets) or any(each.hides for each in self.templates)

    def repeat(self, sent: Attempt | None) -> Self:
        if sent is None or sent.is_emptied:
            raise RenderError(None, "The request is no longer kept. Build it anew.")
        if MASK in sent.url or MASK in sent.request_body:
            raise RenderError(
                None, "The request held a secret, and logs keep none. Build it anew."
            )
        return self.bound_to(sent)

    def preview(self, context: RenderContext) -> RequestPreview:
        try:
            request = self.render_masked(context)
        except RenderError as error:
            return RequestPreview(error=str(error))
        url = mask_url(request.url)
        headers = [(name, mask_header(name, value)) for name, value in request.headers]
        text = None if request.body is None else request.text
        return RequestPreview(
            title=self.title,
            method=request.method,
            url=url,
            headers=header_lines(request.headers),
            body=text or "",
            curl=self.as_curl(request.method, url, headers, text),
        )

    def as_curl(
        self, method: str, url: str, headers: list[tuple[str, str]], body: str | None
    ) -> str:
        """A masked request as a command for a shell; empty where there is none."""
        return ""
