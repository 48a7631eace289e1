"""A ticket and a tester with a value for every tag, and short ways to render."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from macros.tags import (
    TESTER,
    Beginning,
    FieldInfo,
    OutputContext,
    RenderContext,
    Scope,
    Template,
    TemplateError,
    compile_template,
)

SCOPE = Scope.of(
    [
        FieldInfo("severity", "Severity", "text", "Critical"),
        FieldInfo("size_cm", "Size (cm)", "number", "3"),
        FieldInfo("browsers", "Browsers", "list", "Firefox, Safari"),
        FieldInfo("agreed", "Agreed?", "boolean", "true"),
        FieldInfo("due", "Due date", "date", "2026-11-23"),
        FieldInfo("empty", "Nothing", "text", ""),
    ],
    ["Slack URL", "token"],
)
FORM_VALUES = {
    "severity": "Critical",
    "size_cm": 3.0,
    "browsers": ["Firefox", "Safari"],
    "agreed": True,
    "due": "2026-03-04",
    "empty": "",
}
TESTERS = Scope.of(secrets=["Slack URL", "token"], subject_kind=TESTER)
SECRETS = {"slack_url": "https://hooks.example.com/T0/B0", "token": "s3cr3t"}


def a_ticket(**changes: Any) -> SimpleNamespace:
    community = SimpleNamespace(name="Acme Testers")
    project = SimpleNamespace(name="Spring Beta", community=community)
    values: dict[str, Any] = {
        "pk": 3401,
        "reference": "BUG-12",
        "number": 12,
        "title": "Login fails",
        "description": "I tap Log in.\nNothing happens.",
        "status": SimpleNamespace(name="Open", is_open=True),
        "visibility": "public",
        "created_at": datetime(2026, 3, 14, 23, 26, 53, tzinfo=UTC),
        "modified_at": datetime(2026, 3, 15, 10, 0, tzinfo=UTC),
        "form_values": FORM_VALUES,
        "external_data": {"jira_key": "QA-7", "Sales Force-Id": "500x"},
        "submitter": a_submitter(),
        "attachments": SimpleNamespace(all=lambda: [a_file()]),
        "feedback_type": SimpleNamespace(
            name="Bug Report", prefix="BUG", project=project
        ),
    }
    return SimpleNamespace(**values | changes)


def a_file() -> SimpleNamespace:
    return SimpleNamespace(
        pk=17,
        name="screen.png",
        content_type="image/png",
        size=70,
        sha256="0" * 64,
        file=None,
    )


def a_submitter() -> SimpleNamespace:
    return SimpleNamespace(
        first_name="Ada",
        last_name="Lovelace",
        name="Ada Lovelace",
        email="ada@example.com",
        phone="+44 20 7946 0958",
        company="Analytical Engines",
        street1="12 St James's Square",
        street2="Flat 3",
        city="London",
        region="Greater London",
        postal_code="SW1Y 4JH",
        country="GB",
        score=25,
    )


def a_tester(**changes: Any) -> SimpleNamespace:
    values = {
        **vars(a_submitter()),
        "pk": 512,
        "created_at": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        "community": SimpleNamespace(name="Acme Testers"),
        "external_data": {"address_valid": True},
    }
    return SimpleNamespace(**values | changes)


def a_context(secrets: Mapping[str, str] = SECRETS, **changes: Any) -> RenderContext:
    return _context(a_ticket(**changes), "/t/3401/", secrets)


def a_testers_context(
    secrets: Mapping[str, str] = SECRETS, **changes: Any
) -> RenderContext:
    return _context(a_tester(**changes), "/p/512/", secrets)


def _context(subject: Any, path: str, secrets: Mapping[str, str]) -> RenderContext:
    return RenderContext(
        subject=subject,
        subject_url=f"https://centerhook.example.com{path}",
        macro="Send to Jira",
        run_id="871",
        delivery_id="msg_871_1",
        now=datetime(2026, 3, 16, 8, 0, tzinfo=UTC),
        secrets=secrets,
        project="Spring Beta",
        beginning=Beginning(
            "New bugs",
            datetime(2026, 3, 16, 7, 0, tzinfo=UTC),
            {
                "status": "New",
                "title": "Old",
                "field_severity": "Minor",
                "external_jira_key": 7,
                "score": 3,
                "street1": "1 High Street",
            },
            ["Status", "Severity"],
            "ada",
        ),
    )


def compiled(
    source: str, output: OutputContext = OutputContext.TEXT, scope: Scope = SCOPE
) -> Template:
    return compile_template(source, output, scope)


def rendered(
    source: str, output: OutputContext = OutputContext.TEXT, **changes: Any
) -> str:
    return compiled(source, output).render(a_context(**changes))


def with_value(
    source: str, value: object, output: OutputContext = OutputContext.TEXT
) -> str:
    """The source rendered with one value of any type, as ((External: v))."""
    return rendered(source, output, external_data={"v": value})


def problems(
    source: str, output: OutputContext = OutputContext.TEXT, scope: Scope = SCOPE
) -> list[str]:
    try:
        compiled(source, output, scope)
    except TemplateError as error:
        return [str(problem) for problem in error.problems]
    return []
