"""What browsers and tools write as "copy as cURL" is read as the request that it was.

Each writer quotes as the tool's own source does; the twelve requests go through all.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from macros.authoring.curl import CurlError, parse
from macros.authoring.new_macros import draft

JSON = "application/json"


@dataclass(frozen=True)
class Sent:
    url: str = "https://a.example/x"
    method: str = "POST"
    kind: str = JSON
    body: str = ""


REQUESTS = {
    "get": Sent(method="GET", kind=""),
    "get with a query": Sent("https://a.example/x?a=1&b=%20c#d", "GET", ""),
    "json": Sent(body='{"text":"a b","n":1}'),
    "json with empty text": Sent(body='{"text":"","b":["",{}]}'),
    "apostrophe": Sent(body='{"t":"it\'s"}'),
    "exclamation and dollar": Sent(body='{"t":"wow! $HOME `x` 100% off"}'),
    "line breaks": Sent(kind="text/plain", body="one\ntwo\nthree"),
    "form": Sent(kind="application/x-www-form-urlencoded", body="a=1&b=c+d%26"),
    "put": Sent(method="PUT", body='{"a":{"b":[1,2]}}'),
    "brackets": Sent("https://a.example/x?f[0]=a&g={b}", "GET", ""),
    "letters": Sent(body='{"t":"café ü 日本"}'),
    "emoji": Sent(body='{"t":"it\'s 😀"}'),
}


def posix(text: str, escape: Callable[[int], str]) -> str:
    """$'...' where there is anything that a shell might change."""
    if not re.search(r"[^\x20-\x7e]|['!]", text):
        return f"'{text}'"
    text = text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n")
    units = text.encode("utf-16-be")
    codes = [int.from_bytes(units[at : at + 2]) for at in range(0, len(units), 2)]
    letters = (
        chr(code) if 0x20 <= code < 0x7F and chr(code) != "!" else escape(code)
        for code in codes
    )
    return f"$'{''.join(letters)}'"


def chrome_bash(text: str) -> str:
    if not re.search(r"[\x00-\x1f\x7f-\x9f!]|'", text):
        return f"'{text}'"
    text = text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n")
    return "$'" + text.replace("!", "\\u0021") + "'"


def firefox_bash(text: str) -> str:
    return posix(text, lambda code: f"\\u{code:04x}")


def firefox_bash_before(text: str) -> str:
    return posix(
        text, lambda code: f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"
    )


def safari(text: str) -> str:
    return posix(text, lambda code: f"\\u{code:04x}")


def bytes_of_bash(text: str) -> str:
    """As vendors' pages have it: UTF-8, byte by byte."""
    text = text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n")
    return (
        "$'"
        + "".join(
            each
            if each.isascii()
            else "".join(f"\\x{byte:02x}" for byte in each.encode())
            for each in text
        )
        + "'"
    )


def postman(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def chrome_cmd(text: str) -> str:
    text = text.replace("\\", "\\\\").replace('"', '\\"')
    text = re.sub(r"[^a-zA-Z0-9\s_\-:=+~'/.,?;()*`]", r"^\g<0>", text)
    text = re.sub(r"%(?=[a-zA-Z0-9_])", "%^", text)
    return '^"' + text.replace("\n", "^\n\n") + '^"'


def firefox_cmd_before(text: str) -> str:
    text = text.replace('"', '""').replace("%", '"%"')
    return '"' + text.replace("\n", '"^\n\n"') + '"'


def postman_cmd(text: str) -> str:
    return '"' + text.replace('"', '\\"') + '"'


def powershell(text: str) -> str:
    return "'" + text.replace("'", "''").replace('"', '\\"') + "'"


def bracketed(url: str) -> str:
    """Where they would be patterns of curl's."""
    return re.sub(r"[\[\]{}]", r"\\\g<0>", url)


@dataclass(frozen=True)
class Tool:
    quote: Callable[[str], str]
    join: str = " "
    program: str = "curl"
    data: str = "--data-raw"
    extra: str = "--compressed"
    escapes: bool = True
    names_method: bool = False
    # What the tool itself or its shell can't write.
    lacks: tuple[str, ...] = ()

    def write(self, sent: Sent) -> str:
        url = self.quote(sent.url)
        words = [self.program, bracketed(url) if self.escapes else url]
        if self.names_method or sent.method not in ("GET", "POST"):
            words += ["-X", sent.method]
        if sent.kind:
            words += ["-H", self.quote(f"Content-Type: {sent.kind}")]
        words += ["-H", self.quote("Accept: */*")]
        if sent.body:
            words += [self.data, self.quote(sent.body)]
        return self.join.join([*words, self.extra])


NEW = ("letters", "emoji")
TOOLS = {
    "Chrome, bash": Tool(chrome_bash, " \\\n  "),
    "Chrome, cmd": Tool(chrome_cmd, " ^\n  "),
    "Edge, cmd, one line": Tool(chrome_cmd),
    "Firefox, bash": Tool(firefox_bash),
    "Firefox before 115, bash": Tool(firefox_bash_before, names_method=True),
    "Firefox, cmd": Tool(chrome_cmd, " ^\n  "),
    "Firefox before 125, cmd": Tool(firefox_cmd_before, names_method=True),
    "Safari": Tool(safari, " \\\n", data="--data-binary", names_method=True),
    "bytes": Tool(bytes_of_bash),
    "Postman": Tool(
        postman, " \\\n", data="--data", extra="--location-trusted", escapes=False
    ),
    "Postman, cmd": Tool(
        postman_cmd, data="--data", escapes=False, lacks=("line breaks",)
    ),
    "Insomnia": Tool(
        postman, " \\\n\t", data="--data", escapes=False, names_method=True
    ),
    "PowerShell": Tool(powershell, " `\n  ", "curl.exe", data="--data"),
}


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("request_", REQUESTS)
def test_what_was_copied_is_what_is_read(tool: str, request_: str) -> None:
    writer, sent = TOOLS[tool], REQUESTS[request_]
    if request_ in writer.lacks:
        return
    parsed = parse(writer.write(sent))
    assert (parsed.method, parsed.url) == (sent.method, sent.url)
    assert (parsed.body or "") == sent.body
    kinds = [value for name, value in parsed.headers if name == "Content-Type"]
    assert kinds == ([sent.kind] if sent.kind else [])


def test_a_browsers_fetch_for_powershell_is_no_curl_command() -> None:
    with pytest.raises(CurlError, match="not a curl command"):
        parse('Invoke-WebRequest -UseBasicParsing -Uri "https://a.example/"')


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        (r"""$'{"t":"it\'s \ud83d\ude00"}'""", '{"t":"it\'s 😀"}'),
        (r"""$'{"t":"caf\xc3\xa9 \303\274"}'""", '{"t":"café ü"}'),
        (r"$'\u00fc\U0001f600'", "ü😀"),
        (r"$'caf\xe9'", "café"),
    ],
)
def test_escapes_of_bash_are_bytes_and_characters(text: str, meant: str) -> None:
    assert parse(f"curl h -H Content-Type: -d {text}").body == meant


@pytest.mark.parametrize("text", [r"$'\ud83d'", r"$'\U00110000'", r"$'a\0b'"])
def test_an_escape_that_is_no_character_is_refused(text: str) -> None:
    with pytest.raises(CurlError):
        parse(f"curl h -d {text}")


@pytest.mark.parametrize(
    ("command", "url"),
    [
        ("curl -G h --data-urlencode 't=((Title))'", "http://h?t=((Title))"),
        ("curl -G h -d 't=((Title))'", "http://h?t=((Title))"),
        ("curl h --url-query 'a b=((Field: Severity)) &'", None),
        (
            "curl h --url-query 't=((Title|truncate:5)) & x'",
            "http://h?t=((Title|truncate:5))+%26+x",
        ),
    ],
)
def test_a_tag_in_a_query_stays_a_tag(command: str, url: str | None) -> None:
    made = draft(parse(command))
    assert "((" in str(made.fields["url"])
    if url:
        assert made.fields["url"] == url


@pytest.mark.parametrize(
    ("part", "pair", "note"),
    [
        ("a=b;type=text/plain", "a=b", "-F a: 'type=text/plain' was left out"),
        ('a="x;y \\"z\\""', "a=x%3By%20%22z%22", ""),
        ('a="x"; type=b', "a=x", "-F a: 'type=b' was left out"),
        ("a=b c", "a=b%20c", ""),
    ],
)
def test_a_part_of_a_form_is_read_as_curl_reads_it(
    part: str, pair: str, note: str
) -> None:
    parsed = parse(f"curl h -F '{part}'")
    assert parsed.body == pair
    assert note in " ".join(parsed.notes)


@pytest.mark.parametrize(
    ("command", "url"),
    [
        (r"curl 'https://a.example/\[x\]?\{y\}'", "https://a.example/[x]?{y}"),
        (r"curl -g 'https://a.example/\[x\]'", r"https://a.example/\[x\]"),
        ("curl 'https://[::1]/'", "https://[::1]/"),
    ],
)
def test_brackets_in_a_url_are_not_patterns(command: str, url: str) -> None:
    parsed = parse(command)
    assert (parsed.url, parsed.notes) == (url, ())


@pytest.mark.parametrize("pattern", ["[1-3]", "{a,b}", "[a-z:2]"])
def test_a_pattern_of_several_is_named(pattern: str) -> None:
    parsed = parse(f"curl 'https://a.example/{pattern}'")
    assert parsed.url == f"https://a.example/{pattern}"
    assert pattern in parsed.notes[0]
    assert parse(f"curl -g 'https://a.example/{pattern}'").notes == ()


def test_a_place_to_fill_in_does_not_end_the_command() -> None:
    parsed = parse("curl https://a.example/users/<user-id>/x -H 'A: b' -d c=d")
    assert parsed.url == "https://a.example/users/<user-id>/x"
    assert parsed.body == "c=d"
    assert parsed.notes == ("<user-id> is a place to fill in; it was kept as text.",)
