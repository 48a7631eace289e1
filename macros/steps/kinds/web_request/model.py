from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.db import models

from feedback.access.privacy import Privacy
from logs.redaction import is_credential, origin_in

from ....auth.kinds import SECRET_FIELDS, AuthKind
from ....extraction import Source, check
from ....models import Macro
from ....models.secrets import secrets_tagged_in
from ....models.steps import Problems, Settings
from ....retries import check_conditions
from ....tags import (
    OutputContext,
    Problem,
    Scope,
    TemplateError,
    compile_template,
    normalise,
)
from ....tags.headers import compile_headers
from ...kind import StepKind
from . import form
from .bodies import BODY_CONTEXTS, BodyKind, Method
from .compiled import CompiledWebRequest
from .credentials import check_credentials
from .files import check_files

# Each is looked for in every response, in many forms.
MAX_SECRETS = 30
# How the text of a body that is not sent is read.
_AS_IS = OutputContext.TEXT, ""


class WebRequest(StepKind):
    """The step that calls an external system, once per subject."""

    kind = "web_request"
    SETTINGS = (
        "method",
        "url",
        "headers",
        "body_kind",
        "body",
        "auth_kind",
        "auth_user",
        "auth_secret",
        "token_url",
        "token_parameters",
        "token_in_body",
        "signing_secret",
        "previous_signing_secret",
        "return_values",
        "wait_when",
    )
    SECRET_NAMES = SECRET_FIELDS
    UNTAGGED_LINES = ("token_parameters",)
    URL_SETTING = SENT_BY = "url"
    NEEDS_API_KEY = True
    privacy = Privacy(hidden=("headers", "body"))
    FORM = form.FORM

    method = models.CharField(max_length=6, choices=Method, default=Method.POST)
    url = models.TextField(
        "URL", max_length=4000, help_text="Where to send to, with dynamic tags."
    )
    headers = models.TextField(
        blank=True, help_text="One per line: <code>Authorization: Bearer ...</code>"
    )
    body_kind = models.CharField(
        "body", max_length=10, choices=BodyKind, default=BodyKind.JSON
    )
    body = models.TextField(
        "body text",
        blank=True,
        help_text="Put a dynamic tag where the ticket's or tester's own value belongs:"
        " <code>((Title))</code>, <code>((Field: Severity))</code>, <code>((Email))"
        "</code>.",
    )

    auth_kind = models.CharField(
        "authentication",
        max_length=6,
        choices=AuthKind,
        blank=True,
        default=AuthKind.NONE,
    )
    auth_user = models.CharField("user name or client ID", max_length=300, blank=True)
    auth_secret = models.CharField(
        "secret to authenticate with",
        max_length=100,
        blank=True,
        help_text="The name of the secret that holds the password, the token or the"
        " client secret.",
    )
    token_url = models.CharField("token URL", max_length=2000, blank=True)
    token_parameters = models.TextField(
        blank=True,
        help_text="One per line, such as <code>scope=api.write</code>.",
    )
    token_in_body = models.BooleanField(
        "client secret in the body",
        default=False,
        help_text="Where the token URL does not take it as Basic authentication.",
    )
    signing_secret = models.CharField(
        max_length=100,
        blank=True,
        help_text="The name of the secret (<code>whsec_...</code>) to sign requests"
        " with, as in Standard Webhooks.",
    )
    previous_signing_secret = models.CharField(
        max_length=100,
        blank=True,
        help_text="While the receiver changes to a new secret, requests carry the"
        " signatures of both.",
    )

    return_values = models.JSONField(
        default=list,
        blank=True,
        help_text="The parts of the response that are stored in the subject's external"
        " data.",
    )
    wait_when = models.TextField(
        "also wait when",
        blank=True,
        help_text="One per line, where the system says in its own way that requests"
        " come too fast: <code>403 header x-ratelimit-remaining: 0</code> or <code>400"
        " body RATELIMITED</code>. 429, and 403 or 5xx with <code>Retry-After</code>,"
        " need no line.",
    )

    class Meta(StepKind.Meta):
        verbose_name = "web request"

    def __str__(self) -> str:
        return f"{self.method} {self.url[:80]}"

    def audit_name(self) -> str:
        return f"{self.method} {origin_in(self.url)}"

    @classmethod
    def host_in(cls, text: str) -> str:
        """A tag may stand in what comes after the host, and then the host is known."""
        url = text.strip()
        fixed, tag, _ = url.partition("((")
        try:
            host = urlsplit(fixed if tag else url).netloc.rpartition("@")[2]
        except ValueError:
            host = ""
        is_whole = not tag or fixed.count("/") > 2
        return host if host and is_whole else "a host that tags name"

    @property
    def summary(self) -> str:
        """Its host, or as much of a URL as begins with a tag."""
        url = self.url.strip()
        host = re.split(r"[/?#]", url.partition("://")[2])[0].rpartition("@")[2]
        return f"{self.method} to {(host or url)[:80]}" if url else self.FORM.title

    @property
    def note(self) -> str:
        rows = self.return_values if isinstance(self.return_values, list) else []
        names = [str(row["name"]) for row in rows if row.get("name")]
        return f"stores {', '.join(names)}"[:200] if names else ""

    @classmethod
    def secret_templates(cls, settings: Settings) -> Mapping[str, OutputContext]:
        body, _ = BODY_CONTEXTS.get(str(settings.get("body_kind")), _AS_IS)
        return {"url": OutputContext.URL, "headers": OutputContext.HEADER, "body": body}

    @classmethod
    def compile(cls, settings: Settings, scope: Scope) -> CompiledWebRequest:
        return CompiledWebRequest.compile(settings, scope)

    def clean(self) -> None:
        self.url = self.url.strip()
        super().clean()

    def problems(self, macro: Macro) -> Problems:
        scope = macro.scope()
        problems: dict[str, list[str | ValidationError]] = {}
        for field, compile_field in self._compilers(scope).items():
            try:
                compile_field()
            except TemplateError as error:
                problems[field] = [_with_position(each) for each in error.problems]
        for field, problem in check_credentials(self.settings(), macro, scope):
            problems.setdefault(field, []).append(problem)
        if problem := self._check_secrets():
            problems.setdefault("body", []).append(problem)
        if self.body_kind == BodyKind.MULTIPART:
            for field, sentence in check_files(self.settings(), macro.subject_kind):
                problems.setdefault(field, []).append(sentence)
        problems["return_values"] = [*self._check_return_values()]
        problems["wait_when"] = [*check_conditions(self.wait_when)]
        return problems

    def _compilers(self, scope: Scope) -> dict[str, Callable[[], object]]:
        compilers: dict[str, Callable[[], object]] = {
            "url": lambda: compile_template(self.url, OutputContext.URL, scope),
            "headers": lambda: compile_headers(self.headers, scope),
        }
        if self.body_kind in BODY_CONTEXTS:
            output, _ = BODY_CONTEXTS[self.body_kind]
            compilers["body"] = lambda: compile_template(self.body, output, scope)
        return compilers

    def _check_secrets(self) -> str:
        settings = self.settings()
        names = {normalise(settings[field]) for field in SECRET_FIELDS} - {""}
        for field in self.secret_templates(settings):
            names.update(secrets_tagged_in(settings[field]))
        if len(names) <= MAX_SECRETS:
            return ""
        return (
            f"A web request has at most {MAX_SECRETS} secrets; here are {len(names)}."
        )

    def _check_return_values(self) -> list[str]:
        # As the lookup of a column or a filter such a name would mean something else.
        reserved = models.JSONField().get_lookups()
        rows, problems = check(self.return_values, normalise, reserved)
        problems += [
            f"Row {number}, path: {row['expression']} holds a credential, and those are"
            " never stored."
            for number, row in enumerate(rows, start=1)
            if row["source"] == Source.HEADER and is_credential(row["expression"])
        ]
        if not problems:
            self.return_values = rows
        return problems


def _with_position(problem: Problem) -> ValidationError:
    """With the problem in `params`, for a screen that shows where it is."""
    return ValidationError("%(problem)s", params={"problem": problem})
