"""What people paste becomes the request that curl would send."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from macros.authoring.curl import MAX_LENGTH, CurlError, ParsedCurl, parse

JSON = (("Content-Type", "application/json"),)
FORM = (("Content-Type", "application/x-www-form-urlencoded"),)
URL = "https://a.example/x"


def short(parsed: ParsedCurl) -> tuple[object, ...]:
    return parsed.method, parsed.url, parsed.headers, parsed.body, parsed.body_kind


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("curl a.example", ("GET", "http://a.example", (), None, "none")),
        (f"$ curl -s {URL} # all", ("GET", URL, (), None, "none")),
        (f"curl -XPUT {URL} -H 'A: b'", ("PUT", URL, (("A", "b"),), None, "none")),
        (f"curl {URL} -d a=b -d c=d", ("POST", URL, FORM, "a=b&c=d", "form")),
        (f"curl {URL} -dx=y", ("POST", URL, FORM, "x=y", "form")),
        (f"curl {URL} --data-raw @x", ("POST", URL, FORM, "@x", "form")),
        (
            f"curl {URL} --data-urlencode 'a=b c&d' --data-urlencode '=ü'",
            ("POST", URL, FORM, "a=b+c%26d&%C3%BC", "form"),
        ),
        (f"curl -G {URL} -d a=b", ("GET", f"{URL}?a=b", (), None, "none")),
        (f"curl -G '{URL}?z' -d a=b", ("GET", f"{URL}?z&a=b", (), None, "none")),
        (f"curl -I {URL}", ("HEAD", URL, (), None, "none")),
        (
            f"curl --json '{{\"a\":' --json '1}}' {URL}",
            (
                "POST",
                URL,
                (*JSON, ("Accept", "application/json")),
                '{"a":1}',
                "json",
            ),
        ),
        (
            f"curl {URL} -H 'content-type: application/vnd.x+json; v=1' -d '[]'",
            (
                "POST",
                URL,
                (("content-type", "application/vnd.x+json; v=1"),),
                "[]",
                "json",
            ),
        ),
        (
            f"curl {URL} -H 'Content-Type: text/xml' -d '<a/>'",
            ("POST", URL, (("Content-Type", "text/xml"),), "<a/>", "xml"),
        ),
        (f"curl {URL} -H Content-Type: -d x", ("POST", URL, (), "x", "text")),
        (f"curl {URL} -H 'A;' -H 'B:'", ("GET", URL, (("A", ""),), None, "none")),
        (
            f"curl {URL} -A me -e https://b/ -b c=d --oauth2-bearer tok",
            (
                "GET",
                URL,
                (
                    ("User-Agent", "me"),
                    ("Referer", "https://b/"),
                    ("Cookie", "c=d"),
                    ("Authorization", "Bearer tok"),
                ),
                None,
                "none",
            ),
        ),
        (f"curl {URL}?a=1&b=2", ("GET", f"{URL}?a=1&b=2", (), None, "none")),
        (
            f"curl --url {URL} --refere b",
            ("GET", URL, (("Referer", "b"),), None, "none"),
        ),
        (f"curl -- {URL}", ("GET", URL, (), None, "none")),
    ],
)
def test_a_command_is_read_as_curl_reads_it(
    command: str, expected: tuple[object, ...]
) -> None:
    parsed = parse(command)
    assert short(parsed) == expected
    assert parsed.notes == ()


@pytest.mark.parametrize(
    ("command", "body"),
    [
        (r"curl h -H Content-Type: -d 'a\b'", r"a\b"),
        (r'curl h -H Content-Type: -d "a\"b\\c\d"', r"a\"b\c\d".replace(r"\"", '"')),
        (r"curl h -H Content-Type: -d $'it\'s \u00fc\x41\102\e'", "it's üAB\x1b"),
        (r'curl h -H Content-Type: -d a\ b"c"' + "'d'", "a bcd"),
        ("curl h \\\n -H Content-Type: \\\r\n -d 'x\ny'", "x\ny"),
        ("curl h -H Content-Type: \\  \n -d x", "x"),
        ("curl h\n-H Content-Type:\n-d x", "x"),
        ('curl h -H Content-Type: -d "a\\\nb"', "ab"),
        ("curl ^\n h -H Content-Type: ^\r\n -d ^\"a^\\^\"b^%^\n\nc^\"", 'a"b%\nc'),
        ('curl h ^\n -H Content-Type: -d "{\\"a\\": 1}"', '{"a": 1}'),
        ('curl h ^\n -H Content-Type: -d "a\\b\\\\"', "a\\b\\"),
        ("curl.exe h -H Content-Type: `\n -d 'it''s \"x\"'", "it's \"x\""),
        ('curl.exe h -H Content-Type: -d "a`"b""c`n"', 'a"b"c\n'),
        (r"""curl.exe h -H Content-Type: -d '{\"a\": 1}'""", '{"a": 1}'),
        ("PS C:\\> curl.exe h -H Content-Type: -d x", "x"),
    ],
)  # fmt: skip
def test_every_shells_quotes_and_line_ends_are_known(command: str, body: str) -> None:
    parsed = parse(command)
    assert (parsed.url, parsed.body) == ("http://h", body)


def test_user_and_password_come_from_the_option_or_the_url() -> None:
    parsed = parse("curl -u alice:p:w https://a.example")
    assert (parsed.user, parsed.password) == ("alice", "p:w")
    parsed = parse("curl https://al%40x:p%3Aw@a.example:8443/y")
    assert (parsed.user, parsed.password) == ("al@x", "p:w")
    assert parsed.url == "https://a.example:8443/y"
    assert "p:w" not in repr(parsed)


@pytest.mark.parametrize(
    ("option", "note"),
    [
        ("-L", "--location was left out: a redirect is not followed"),
        ("-k", "--insecure was left out: certificates are always checked"),
        ("--cacert x.pem", "--cacert was left out"),
        ("--cert c --key k", "--key was left out"),
        (
            "-x http://proxy:3128",
            "--proxy was left out: requests go to the destination",
        ),
        ("--max-time 3", "--max-time was left out: time limits"),
        ("--http2", "--http2 was left out: requests are sent over HTTP/1.1."),
        ("--retry 5", "--retry was left out: the macro's own page"),
        ("--digest", "--digest was left out: only Basic"),
        ("-T file", "--upload-file was left out: files"),
        ("-d @body.json", "-d @body.json names a file"),
        ("--data-binary @b", "-d @b names a file"),
        ("--data-urlencode a@b", "--data-urlencode a@b names a file"),
        ("--json @b", "--json @b names a file"),
        ("-b jar.txt", "-b jar.txt names a file"),
        ("-H @headers", "-H @headers names a file"),
        ("-F f=@photo.png", "-F f=@photo.png names a file"),
        ("-F a=b", "-F makes a multipart form"),
        ("-H nonsense", "A header without a colon was left out."),
        ('-H "A: $TOKEN"', "$TOKEN is a variable of your shell"),
        ('-H "A: $(cat x)"', "A command in $(...) or `...` is not run"),
        ("-d '{\"a\": 1}'", "The command names no content type and its body is JSON"),
        ("| jq .", "What follows the curl command was left out"),
        ("> out.txt", "What follows the curl command was left out"),
        ("&& rm -rf /", "What follows the curl command was left out"),
    ],
)
def test_what_is_not_taken_over_is_said(option: str, note: str) -> None:
    parsed = parse(f"curl {URL} {option}")
    assert any(each.startswith(note) for each in parsed.notes), parsed.notes


@pytest.mark.parametrize(
    "option",
    ["-sSv", "-o /dev/null", "-w '%{http_code}'", "--compressed", "-f", "--no-buffer"],
)
def test_what_makes_no_difference_here_is_passed_over(option: str) -> None:
    assert parse(f"curl {option} {URL}") == parse(f"curl {URL}")


def test_a_variable_in_single_quotes_is_plain_text() -> None:
    assert parse(f"curl {URL} -d '$HOME `x` $(y)'").notes == ()


def test_a_form_with_a_file_keeps_the_other_fields() -> None:
    parsed = parse(f"curl {URL} -F 'a=b c' -F f=@x -F d=e")
    assert (parsed.body, parsed.body_kind) == ("a=b%20c&d=e", "form")
    assert parsed.headers == FORM


def test_a_tag_in_the_command_stays() -> None:
    parsed = parse("curl '((Secret: url))' -H 'A: ((Title))' -d 'x=((Status))'")
    assert parsed.url == "((Secret: url))"
    assert parsed.headers[0] == ("A", "((Title))") and parsed.body == "x=((Status))"


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("", "Paste a curl command."),
        ("  \n ", "Paste a curl command."),
        ("wget https://a/", "This is not a curl command: it begins with 'wget'."),
        ("curl", "The command has no URL."),
        ("curl ''", "The command's URL is empty."),
        ("curl -s -X POST", "The command has no URL."),
        ("curl a b", "The command has 2 URLs. If some of them are words of a text,"),
        ("curl a\ncurl b", "These are several commands. Paste one at a time."),
        ("curl a --next b", "--next begins a second request."),
        ("curl 'a", "The quote ' in line 1 is not closed."),
        ('curl a \\\n -d "x', 'The quote " in line 2 is not closed.'),
        ("curl a -d $'x", "The quote $' of column"),
        ("curl ^\n ^\"a", 'A quote " in the command is not closed.'),
        ("curl.exe 'a", "The quote ' in line 1 is not closed."),
        ("curl a -H", "The option -H has no value."),
        ("curl a --data", "The option --data has no value."),
        ("curl a --frobnicate", "The option --frobnicate is not known here."),
        ("curl a -Q", "curl has no option -Q. Take it out"),
        ("curl a -F x=y -d z", "-F and -d can't stand in one command."),
        ("curl http://[::1", "The URL of the command is not valid."),
        ("curl a\0b", "The command holds a character that no command can hold."),
        (r"curl a -d $'\U00110000'", r"\U00110000 in the command is not a character."),
        ("curl a -d " + "x" * 1_000_000, f"The command is longer than {MAX_LENGTH:,}"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_with_a_reason(
    command: str, message: str
) -> None:
    with pytest.raises(CurlError) as caught:
        parse(command)
    assert str(caught.value).startswith(message)


@given(st.text(alphabet=st.sampled_from("curl aX'\"\\$`^-Hd@={}[]()|&;<>\n\r\tü%:/u")))
def test_no_text_does_more_than_be_refused(text: str) -> None:
    for command in (f"curl {text}", f"curl.exe {text}", f'curl ^"{text}', text):
        try:
            parse(command)
        except CurlError as error:
            assert str(error).endswith((".", "'."))


def test_a_long_hostile_command_is_read_to_its_end() -> None:
    """With a reader that begins anew at each letter this would take minutes."""
    for text in ("'" * MAX_LENGTH, '"' + "$" * MAX_LENGTH, "\\\n" * MAX_LENGTH):
        with pytest.raises(CurlError, match="quote|URL"):
            parse(f"curl {text}"[:MAX_LENGTH])
