"""A request as a curl command: run, it sends that request and does nothing else."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from centerhook.receiver import Receiver
from macros.authoring.curl import MAX_LENGTH, parse, write

NASTY = (
    'it\'s "x" $HOME $(touch pwned) `touch pwned` \\ ! \n; & | > <b> ü 🙂 ((Title)) %s'
)
MASK = "••••••"

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
lines = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp", "Zs"]), max_size=40
)
names = st.from_regex(r"X-[A-Za-z0-9!#$%&'*+.^_`|~-]{1,20}", fullmatch=True)
methods = st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE"])
urls = st.from_regex(
    r"https?://[a-z0-9.-]{1,20}(:[1-9][0-9]{0,3})?(/[!-~]{0,30})?", fullmatch=True
).filter(lambda url: "@" not in url.split("/")[2])


@given(methods, urls, st.lists(st.tuples(names, lines), max_size=4), st.none() | texts)
def test_what_is_written_is_read_back_the_same(
    method: str, url: str, headers: list[tuple[str, str]], body: str | None
) -> None:
    command = write(method, url, headers, body)
    if len(command) > MAX_LENGTH:
        return
    parsed = parse(command)
    assert parsed.notes == ()
    assert (parsed.method, parsed.url, parsed.body) == (method, url, body)
    assert list(parsed.headers) == [(name, value.strip()) for name, value in headers]


@given(texts, texts, texts)
def test_a_shell_sees_one_command_of_whole_words(
    url: str, value: str, body: str
) -> None:
    command = write("POST", url, [("A", value), ("bad name\n", "x")], body)
    words = shlex.split(command)
    assert words[:5] == ["curl", "-X", "POST", "--url", url]
    assert words[-2:] == ["--data-raw", body]
    assert "bad name" not in command


def test_a_mask_becomes_a_variable_wherever_it_stands() -> None:
    command = write(
        "POST",
        f"{MASK}?k={MASK}",
        [("Authorization", f"Bearer {MASK}")],
        f'{{"a": "{MASK}"}}',
        MASK,
    )
    assert command == (
        'curl -X POST --url "$SECRET_1"\'?k=\'"$SECRET_2" \\\n'
        "  -H 'Authorization: Bearer '\"$SECRET_3\" \\\n"
        "  -H 'Content-Type:' \\\n"
        '  --data-raw \'{"a": "\'"$SECRET_4"\'"}\''
    )


def test_braces_in_a_url_are_not_taken_for_a_pattern() -> None:
    assert "--globoff" in write("GET", "https://a/{x}[1]", [], None)
    assert write("HEAD", "https://a/", [], None) == "curl --head --url https://a/"


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed.")
@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_run_by_a_real_shell_it_sends_just_that(
    shell: str, receiver: Receiver, tmp_path: Path
) -> None:
    url = f"{receiver.url}/ok/{{x}}?q=[1]&r=$HOME'"
    headers = [("Content-Type", "text/plain"), ("X-Note", "a 'b' $(touch pwned)")]
    headers += [("X-E", ""), ("Authorization", f"Bearer {MASK}")]
    command = write("PATCH", url, headers, f"@{NASTY}{MASK}", MASK)
    done = subprocess.run(
        [shell, "-c", command],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "SECRET_1": "one two", "SECRET_2": "*"},
        capture_output=True,
        check=True,
        timeout=30,
    )
    assert done.stdout == b"ok"
    [request] = receiver.requests
    parsed = dict(request.headers)
    assert (request.method, request.target) == ("PATCH", url[len(receiver.url) :])
    assert request.text == f"@{NASTY}*"
    assert parsed["X-Note"] == "a 'b' $(touch pwned)"
    assert (parsed["X-E"], parsed["Authorization"]) == ("", "Bearer one two")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed.")
@pytest.mark.parametrize(
    "options",
    [
        "-d a=b -d 'c=d e'",
        "--data-urlencode 'a=b c&ü' --data-urlencode '=x y'",
        "-G -d a=b --data-urlencode 'c=d e'",
        "--json '{\"a\":' --json '1}'",
        "-X PUT -H 'X-A: b' -H 'X-B;' -H 'User-Agent:'",
        "-u 'alice:p w'",
        "-b 'a=b; c=d' -e https://b.example/ -A me",
        "-d '' -X DELETE",
        "--data-raw $'it\\'s \\u00fc\\n\\x41' -H 'Content-Type: text/plain'",
        "-H Content-Type: -d \"a\\\"b\\\\c\"",
    ],
)  # fmt: skip
def test_the_reader_and_real_curl_agree(options: str, receiver: Receiver) -> None:
    """What is read, written again and run, is the request of the first command."""
    command = f"curl -s {options} '{receiver.url}/ok/x?y=1'"
    parsed = parse(command)
    again = write(parsed.method, parsed.url, parsed.headers, parsed.body)
    if parsed.user is not None:
        again += f" -u {shlex.quote(f'{parsed.user}:{parsed.password}')}"
    for each in (command, again):
        subprocess.run(
            ["bash", "-c", each],
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
            check=True,
            timeout=30,
            capture_output=True,
        )
    first, second = receiver.requests
    usual = {"user-agent", "accept"} if "User-Agent:" in options else set()
    assert (second.method, second.target, second.body) == (
        first.method,
        first.target,
        first.body,
    )
    assert {
        (name.lower(), value)
        for name, value in second.headers
        if name.lower() not in usual
    } == {
        (name.lower(), value)
        for name, value in first.headers
        if name.lower() not in usual
    }
