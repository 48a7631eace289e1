"""The options of curl, as its manual describes them: which take a value, what they do.

https://curl.se/docs/manpage.html
"""

from __future__ import annotations

from collections.abc import Iterator

from .errors import CurlError

# Letter -> name.
_SHORT = {
    "0": "http1.0", "1": "tlsv1", "2": "sslv2", "3": "sslv3", "4": "ipv4", "6": "ipv6",
    "A": "user-agent", "b": "cookie", "c": "cookie-jar", "C": "continue-at",
    "d": "data", "D": "dump-header", "e": "referer", "E": "cert", "f": "fail",
    "F": "form", "g": "globoff", "G": "get", "H": "header", "i": "include",
    "I": "head", "j": "junk-session-cookies", "J": "remote-header-name",
    "k": "insecure",
    "K": "config", "L": "location", "m": "max-time", "n": "netrc", "N": "no-buffer",
    "o": "output", "O": "remote-name", "p": "proxytunnel", "q": "disable",
    "r": "range", "R": "remote-time", "s": "silent", "S": "show-error",
    "T": "upload-file", "u": "user", "U": "proxy-user", "v": "verbose",
    "w": "write-out", "x": "proxy", "X": "request", "y": "speed-time",
    "Y": "speed-limit", "z": "time-cond", "Z": "parallel", "#": "progress-bar",
    ":": "next", "a": "append",
}  # fmt: skip

# What parsing.py takes over. True: the option has a value.
TAKEN = {
    "request": True, "url": True, "header": True, "data": True, "data-ascii": True,
    "data-raw": True, "data-binary": True, "data-urlencode": True, "json": True,
    "form": True, "form-string": True, "user": True, "oauth2-bearer": True,
    "cookie": True, "user-agent": True, "referer": True, "get": False, "head": False,
    "url-query": True, "range": True, "next": False, "globoff": False,
}  # fmt: skip

# What concerns only the terminal, or what happens here anyway.
_SILENT = {
    "silent": False, "show-error": False, "verbose": False, "include": False,
    "output": True, "output-dir": True, "remote-name": False, "write-out": True,
    "dump-header": True, "fail": False, "fail-with-body": False,
    "no-buffer": False, "progress-bar": False, "no-progress-meter": False,
    "progress-meter": False, "compressed": False, "disable": False, "trace": True,
    "trace-ascii": True, "trace-time": False, "stderr": True, "styled-output": False,
    "create-dirs": False, "remote-header-name": False, "remote-time": False,
    "path-as-is": False, "no-keepalive": False, "keepalive": False, "basic": False,
    "cookie-jar": True, "junk-session-cookies": False, "tcp-nodelay": False,
    "append": False, "parallel": False, "buffer": False, "clobber": False,
    "proto": True, "proto-default": True, "no-sessionid": False, "no-alpn": False,
    "ipv4": False, "ipv6": False, "speed-time": True, "speed-limit": True,
    "keepalive-time": True, "fail-early": False, "max-filesize": True,
}  # fmt: skip

_REDIRECTS = "{} was left out: a redirect is not followed, it is logged as a failure."
_TLS = (
    "{} was left out: certificates are always checked. Give the authority or the client"
    " certificate on the destination's page."
)
_LIMITS = "{} was left out: time limits are settings of CenterHook."
_PROTOCOL = "{} was left out: requests are sent over HTTP/1.1."
_PROXY = "{} was left out: requests go to the destination itself."
_RETRIES = "{} was left out: the macro's own page says when it tries again."
_FILE = "{} was left out: files of your computer are not read."
_LOGIN = "{} was left out: only Basic, Bearer and OAuth 2 are known here."
_OTHER = "{} was left out: there is nothing like it here."
# What is left out, and why.
_LEFT_OUT = {
    "location": (False, _REDIRECTS), "location-trusted": (False, _REDIRECTS),
    "max-redirs": (True, _REDIRECTS), "post301": (False, _REDIRECTS),
    "post302": (False, _REDIRECTS), "post303": (False, _REDIRECTS),
    "insecure": (False, _TLS), "cacert": (True, _TLS), "capath": (True, _TLS),
    "cert": (True, _TLS), "cert-type": (True, _TLS), "key": (True, _TLS),
    "key-type": (True, _TLS), "pass": (True, _TLS), "ciphers": (True, _TLS),
    "tlsv1": (False, _TLS), "tlsv1.0": (False, _TLS), "tlsv1.1": (False, _TLS),
    "tlsv1.2": (False, _TLS), "tlsv1.3": (False, _TLS), "tls-max": (True, _TLS),
    "sslv2": (False, _TLS), "sslv3": (False, _TLS), "ssl-no-revoke": (False, _TLS),
    "ssl-reqd": (False, _TLS), "pinnedpubkey": (True, _TLS), "crlfile": (True, _TLS),
    "max-time": (True, _LIMITS), "connect-timeout": (True, _LIMITS),
    "expect100-timeout": (True, _LIMITS), "limit-rate": (True, _LIMITS),
    "http1.0": (False, _PROTOCOL), "http1.1": (False, _PROTOCOL),
    "http2": (False, _PROTOCOL), "http2-prior-knowledge": (False, _PROTOCOL),
    "http3": (False, _PROTOCOL), "http3-only": (False, _PROTOCOL),
    "http0.9": (False, _PROTOCOL),
    "proxy": (True, _PROXY), "proxy-user": (True, _PROXY), "noproxy": (True, _PROXY),
    "proxytunnel": (False, _PROXY), "proxy-header": (True, _PROXY),
    "proxy-insecure": (False, _PROXY), "proxy-cacert": (True, _PROXY),
    "socks5": (True, _PROXY), "socks5-hostname": (True, _PROXY),
    "socks4": (True, _PROXY), "socks4a": (True, _PROXY), "preproxy": (True, _PROXY),
    "resolve": (True, _PROXY), "connect-to": (True, _PROXY),
    "interface": (True, _PROXY), "dns-servers": (True, _PROXY),
    "unix-socket": (True, _PROXY), "doh-url": (True, _PROXY),
    "retry": (True, _RETRIES), "retry-delay": (True, _RETRIES),
    "retry-max-time": (True, _RETRIES), "retry-connrefused": (False, _RETRIES),
    "retry-all-errors": (False, _RETRIES),
    "upload-file": (True, _FILE), "config": (True, _FILE), "netrc": (False, _FILE),
    "netrc-file": (True, _FILE), "netrc-optional": (False, _FILE),
    "continue-at": (True, _FILE),
    "digest": (False, _LOGIN), "ntlm": (False, _LOGIN), "negotiate": (False, _LOGIN),
    "anyauth": (False, _LOGIN), "aws-sigv4": (True, _LOGIN),
    "time-cond": (True, _OTHER), "raw": (False, _OTHER), "tr-encoding": (False, _OTHER),
    "etag-compare": (True, _OTHER), "etag-save": (True, _OTHER),
    "request-target": (True, _OTHER), "rate": (True, _OTHER),
}  # fmt: skip


def read(words: list[str]) -> Iterator[tuple[str, str]]:
    """Name and value of each option; any other word is a `url`. Raises CurlError."""
    rest = iter(words)
    for word in rest:
        if word == "--":
            yield from (("url", each) for each in rest)
        elif word.startswith("--"):
            name = _known(word)
            yield name, _value(word, rest) if _has_value(name) else ""
        elif word.startswith("-") and len(word) > 1:
            yield from _letters(word, rest)
        else:
            yield "url", word


def why_left_out(name: str) -> str:
    """A sentence for people, or nothing where it makes no difference."""
    why = _LEFT_OUT.get(name)
    return why[1].format(f"--{name}") if why else ""


def _letters(word: str, rest: Iterator[str]) -> Iterator[tuple[str, str]]:
    """`-sSXPOST` is -s, -S, and -X with the value POST."""
    for after, letter in enumerate(word[1:], start=2):
        name = _SHORT.get(letter)
        if name is None:
            raise CurlError(
                f"curl has no option -{letter}. Take it out, and try again."
            )
        if _has_value(name):
            joined = word[after:]
            yield name, joined or _value(f"-{letter}", rest)
            return
        yield name, ""


def _value(option: str, rest: Iterator[str]) -> str:
    value = next(rest, None)
    if value is None:
        raise CurlError(f"The option {option} has no value.")
    return value


def _known(word: str) -> str:
    """The option's name; as in curl, its beginning will do where it is the only one."""
    name = word[2:]
    names = [*TAKEN, *_SILENT, *_LEFT_OUT]
    if name.startswith("no-") and name not in names and name[3:] in names:
        return "silent"
    if name in names:
        return name
    beginning = [each for each in names if name and each.startswith(name)]
    if len(beginning) != 1:
        raise CurlError(
            f"The option --{name[:40]} is not known here. Take it out, and try again."
        )
    return beginning[0]


def _has_value(name: str) -> bool:
    if name in _LEFT_OUT:
        return _LEFT_OUT[name][0]
    return TAKEN.get(name, _SILENT.get(name, False))
