"""What is wrong with a listener, by its settings, before it is saved."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from feedback.models import Filter, SubjectKind
from feedback.selection.external import is_name

from ..models import (
    Listener,
    ListenerAction,
    ListenerCheck,
    RecordBy,
    Scheme,
)
from ..tags import TemplateError, compile_without_secrets
from .action_problems import Found, in_actions
from .compiled import check_free
from .responses import output_for
from .setup import Setup

# For how long the same body may be a repeat.
MAX_REPEAT_SECONDS = 2_592_000


def problems_of(
    listener: Listener,
    checks: Sequence[ListenerCheck],
    actions: Sequence[ListenerAction],
) -> dict[str, list[str]]:
    """Sentences by setting: a column's name, `checks[0].secret`, `actions[1].value`.

    `checks` and `actions` are for all of them. The rows need not be saved.
    """
    listener.find_owners()
    setup = Setup(listener, actions)
    problems: dict[str, list[str]] = defaultdict(list)
    for problem in setup.problems:
        problems[problem.setting].append(problem.sentence)
    found_wrong = (
        *_in_record(listener),
        *_in_filter(listener),
        *_in_events(listener),
        *_in_response(setup),
        *_in_checks(listener, checks),
        *in_actions(setup),
    )
    for setting, sentence in found_wrong:
        problems[setting].append(sentence)
    return dict(problems)


def _in_record(listener: Listener) -> Iterator[Found]:
    by, is_tester = listener.record_by, listener.subject_kind == SubjectKind.TESTER
    if is_tester and listener.feedback_type is not None:
        yield "subject_kind", "A listener of a feedback type works on its tickets."
    if by == RecordBy.NONE:
        return
    if not listener.record_at.strip():
        yield "record_at", "Say where in the call the value is."
    if by == RecordBy.REFERENCE and is_tester:
        yield "record_by", "Testers have no reference."
    if by == RecordBy.EMAIL and not is_tester:
        yield "record_by", "Tickets have no e-mail address."
    if by == RecordBy.EXTERNAL and not is_name(listener.record_external):
        yield "record_external", "Name the external data, such as jira_key."


def _in_filter(listener: Listener) -> Iterator[Found]:
    chosen = listener.filter
    if chosen is not None and not _is_about(chosen, listener):
        yield (
            "filter",
            f"The filter {chosen} selects {chosen.selects}, and the listener works on"
            " others.",
        )


def _is_about(chosen: Filter, listener: Listener) -> bool:
    """A filter may be wider or narrower than the listener, but not beside it."""
    pairs = (
        (chosen.community_id, listener.community_id),
        (chosen.project_id, listener.project_id),
        (chosen.feedback_type_id, listener.feedback_type_id),
    )
    is_beside = any(None not in pair and pair[0] != pair[1] for pair in pairs)
    return chosen.subject_kind == listener.subject_kind and not is_beside


def _in_events(listener: Listener) -> Iterator[Found]:
    needs = (
        ("names", "name_at", "Say where the name of the event is."),
        ("ignored", "ignored_at", "Say where in the call that is."),
        ("ignored_at", "ignored", "Say whose events are ignored."),
    )
    for given, needed, sentence in needs:
        if getattr(listener, given).strip() and not getattr(listener, needed).strip():
            yield needed, sentence
    if listener.repeat_seconds > MAX_REPEAT_SECONDS:
        most = f"{MAX_REPEAT_SECONDS:,}"
        yield "repeat_seconds", f"Give at most {most} seconds, which are 30 days."
    events_at = listener.events_at.strip()
    if events_at and not events_at.startswith("$"):
        yield "events_at", "Give a JSONPath, such as $.events."


def _in_response(setup: Setup) -> Iterator[Found]:
    listener = setup.listener
    if not 200 <= listener.response_status <= 299:
        yield "response_status", "Give a status of 200 to 299: the call was taken."
    output = output_for(listener.response_type)
    if not listener.response_body.strip():
        return
    try:
        template = compile_without_secrets(listener.response_body, output, setup.scope)
        check_free(template)
    except TemplateError as error:
        for problem in error.problems:
            yield "response_body", str(problem)
    except ValueError as error:
        yield "response_body", str(error)


def _in_checks(listener: Listener, checks: Sequence[ListenerCheck]) -> Iterator[Found]:
    if not checks and not listener.allowed_ips.strip():
        yield (
            "checks",
            "Say who may call: add an API key, a signature or allowed addresses."
            " Without any, whoever learns the address can call.",
        )
    for number, check in enumerate(checks):
        for setting, sentence in _in_check(listener, check):
            yield f"checks[{number}].{setting}", sentence


def _in_check(listener: Listener, check: ListenerCheck) -> Iterator[Found]:
    own = listener.community_id
    if check.scheme == Scheme.API_KEY:
        key = check.api_key
        if key is not None and key.community_id != own:
            yield "api_key", "The API key is of another community."
        elif key is not None and not key.scope_listener:
            yield "api_key", "The API key lacks the scope listener."
        return
    if check.secret is None:
        yield "secret", "Choose the secret that the sender signs with."
    elif check.secret.community_id != own or check.secret.project_id not in (
        None,
        listener.project_id,
    ):
        yield "secret", "The secret is of another community or project."
    if check.scheme == Scheme.HMAC:
        for setting in ("header", "algorithm", "encoding"):
            if not getattr(check, setting):
                yield setting, f"Say the {setting} of the signature."
