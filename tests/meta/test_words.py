"""One word per thing: the old vocabulary stays gone."""

from __future__ import annotations

import re
import subprocess
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
KINDS = (".py", ".html", ".js", ".css", ".md", ".yaml", ".toml", ".example")

# Anywhere in a file: a regular expression, and what to say instead.
TEXTS = {
    r"[Aa]ppetite": "capacity",
    r"\bgoing\(\)": "runnable()",
    r"[Aa]larm bell|\bbells?\b|\brung\b|\brings?\b|\bringing\b": "wake-up, notify",
    r"\b[Hh]indrances?\b": "blocker",
    r"\b[Ss]urveys?\b": "resend preview",
    r"\b_?(MOST|LONGEST)_": "MAX_",
    r"\blanes?\b|\bLanes\b": "throttle",
    r"\b[Pp]ace\b": "rate limit",
    r"\bfamilies\b|\bFAMILIES\b": "namespaces",
    r"[Rr]eopen": "requeue",
    r"\b[Aa]nnouncing": "change signals",
    r"\b[Tt]argets?\b": "subject, URL or destination",
    r"\bclass Refused\b": "a name of its own for each refusal",
    r"\b(do|does|did)(n't| not) answer\b": "does not respond",
    r"\banswer(s|ed)?( with| of)? [1-5]\d\d\b": "respond with, a response of",
    r"\bof (the|an) answer\b|\banswer is not\b": "response",
    r"\b(This|That) is no\b": "This is not a",
    r"\b(const|let) (answer|said|told|found)\b": "response, message, the noun",
    r"(#|//|/\*|\"\"\"|\{#|<!--) ?(Of|By) [^*]": "a plain sentence",
}
# As a name of something in Python; in sentences these are plain English.
NAMES = {
    r"\b(told|said)\b": "message, reason",
    r"\bcalled\b": "name, label",
    r"\bfound\b": "the noun: rows, matches, errors",
    r"\b(judges?|Judge)\b": "change plan",
    r"\b(verdicts?|Verdict)\b": "change result",
    r"\b(would|Would)\b": "dry-run row",
    r"\b(\w+_)?(bell|lane|pace|survey|verdict|hindrance)s?(_\w+)?\b": "as in sentences",
    r"\bof_(ticket|tester|subject|macro)s?\b": "a noun or a verb",
    r"\bClock\b": "deadline; a clock is the scheduler process",
    r"\b(places?|Places?)\b": "output context, data location, owner",
    r"\b(answers?|Answers?)\b": "response; an answer is what a tester gave on a form",
}
# As a name of a file.
MODULES = {
    "documents": "config",
    "moving": "config",
    "starts": "new macros",
    "returns": "extraction",
    "announcing": "change signals",
    "resends": "resend",
    "following": "receivers",
    "reopening": "requeue",
    "repeats": "replay",
    "places": "contexts, locations, owners",
    "lanes": "throttle",
    "pace": "rate_limit",
    "families": "namespaces",
}
# Words that are not ours to choose, each with whose they are.
THEIR_WORDS = {
    r"\.target\b": "HTML's events and links, and HTTP's request-target",
    r"\btarget: element\b|\btarget=\"_blank\"": "HTML",
    r"Thread\(target=|\btarget=[\w.]+, (args|daemon|name)=": "threading",
    r"\btarget-version\b": "ruff",
}
# Files in which a word has its other sense: how they begin, the word, the sense.
OTHER_SENSES = {
    "macros/authoring/curl/options.py": (r"target", "an option of curl"),
    "feedback/api/odata.py": (r"target", "a member of OData's errors"),
    "tests/odata/": (r"target", "a member of OData's errors"),
    "feedback/": (r"answers?", "of a tester on a form"),
    "macros/models/usage.py": (r"answers?", "of a tester on a form"),
    "centerhook/receiver/": (r"target", "the request-target of HTTP"),
    "tests/demo/test_receiver.py": (r"target", "the request-target of HTTP"),
    "centerhook/demo/content.py": (r"answers?", "of a tester on a form"),
    "tests/admin/test_ticket_": (r"answers?", "of a tester on a form"),
    "tests/api/test_feedback.py": (r"answers?", "of a tester on a form"),
    "tests/demo/test_seed.py": (r"answers?", "of a tester on a form"),
    "tests/feedback/": (r"answers?", "of a tester on a form"),
    "tests/macros/test_exact_numbers.py": (r"answers?", "of a tester on a form"),
    "tests/sources/": (r"answers?", "of a tester on a form"),
    "tests/processes/test_api.py": (r"answers?", "of a tester on a form"),
    "tests/security/test_hostile_values.py": (r"answers?", "of a tester on a form"),
    "deploy/kubernetes/": ("target", "the autoscaler's own word"),
}


@cache
def paths() -> list[str]:
    """Every file of ours in the repository, or about to be in it, that holds words."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    return [
        path
        for path in listed
        if path.endswith(KINDS)
        and "/migrations/" not in path
        and "/vendor/" not in path
        and path != "tests/meta/test_words.py"
        and (ROOT / path).exists()
    ]


def old_words(path: str) -> Iterator[str]:
    """What the file says in old words: the line, the word, and what to say instead."""
    text = (ROOT / path).read_text()
    for words in THEIR_WORDS:
        text = re.sub(words, "", text)
    for match, instead in matches(TEXTS, without_other_senses(path, text)):
        line = match.string.count("\n", 0, match.start()) + 1
        yield f"{path}:{line} {match[0]!r}: {instead}"
    if instead := MODULES.get(Path(path).stem, ""):
        yield f"{path}: {instead}"
    if path.endswith(".py"):
        names = without_other_senses(path, "\n".join(identifiers(path)))
        for match, instead in matches(NAMES, names):
            yield f"{path} {match[0]}: {instead}"


def matches(words: dict[str, str], text: str) -> Iterator[tuple[re.Match[str], str]]:
    for pattern, instead in words.items():
        for match in re.finditer(pattern, text):
            yield match, instead


def without_other_senses(path: str, text: str) -> str:
    for start, (words, _) in OTHER_SENSES.items():
        if path.startswith(start):
            text = re.sub(rf"\b({words})\b", "", text)
    return text


def identifiers(path: str) -> Iterator[str]:
    with open(ROOT / path, encoding="utf-8") as file:
        for token in tokenize.generate_tokens(file.readline):
            if token.type == tokenize.NAME:
                yield token.string


@pytest.mark.sweep
def test_nothing_is_said_in_old_words() -> None:
    assert len(paths()) > 400
    assert [fault for path in paths() for fault in old_words(path)] == []


def test_an_exception_is_needed() -> None:
    for start, (words, _) in OTHER_SENSES.items():
        texts = [
            (ROOT / each).read_text() for each in paths() if each.startswith(start)
        ]
        assert any(re.search(rf"\b({words})\b", text) for text in texts), start


@pytest.mark.parametrize(
    "line",
    [
        "how much appetite it has",
        "# Of a value, in a sentence.",
        '"""By number."""',
        "A class with 2 targets",
        "MOST_ROWS = 3",
        "This is no JSONPath",
        "it answered 404",
        "found = rows()",
    ],
)
def test_an_old_word_is_noticed(line: str) -> None:
    assert any(matches(TEXTS | NAMES, line))
