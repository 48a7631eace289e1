"""A status line is a response, whatever becomes of the body."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib
from hashlib import shake_128
from http.client import HTTPConnection

import pytest

from tests.http.hostile import (
    Peer,
    always,
    dripping,
    endless,
    hangs_after,
    http_response,
    large,
    once,
)

HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Again", "308 Moved"])
@pytest.mark.parametrize("location", ["/", "http://169.254.169.254/", "file:///etc"])
def test_a_redirect_is_a_response_and_is_not_followed(serve, post, status, location):
    server = serve(always(http_response(b"", f"Location: {location}", status=status)))
    assert post(server.url()).status_code == int(status[:3])
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("raw", "body", "cut"),
    [
        (HEAD + b"\r\nto the end", b"to the end", ""),
        (b"HTTP/1.0 200 OK\r\n\r\nold", b"old", ""),
        (CHUNKED + b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nT: v\r\n\r\n", b"abcde", ""),
        (CHUNKED + b"3\r\nabc\r\n5\r\nde", b"abcde", "connection"),
        (CHUNKED + b"3\r\nabcd\r\n0\r\n\r\n", b"abc", "connection"),
        (CHUNKED + b"-3\r\nabc\r\n0\r\n\r\n", b"", "connection"),
        (CHUNKED + b"0x3\r\nabc\r\n0\r\n\r\n", b"", "connection"),
        (CHUNKED + b"1" * 9000, b"", "connection"),
        (CHUNKED + b"1\r\na\r\n0\r\n" + b"T: v\r\n" * 1000, b"a", "connection"),
        (http_response(b"short", length=10), b"short", "connection"),
        (http_response(b"too long", length=3), b"too", ""),
        (HEAD + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", b"abc", ""),
        (
            HEAD + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
            b"",
            "connection",
        ),
        (HEAD + b"Content-Length: -3\r\n\r\nabc", b"", "connection"),
        (HEAD + b"Content-Length: many\r\n\r\nabc", b"", "connection"),
        (HEAD + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\nabc", b"", "connection"),
        (b"HTTP/1.1 204 No Content\r\n\r\nabc", b"", ""),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + http_response(b"ok"), b"ok", ""),
        (b"HTTP/1.1 103 Hints\r\nLink: x\r\n\r\n" + http_response(b"ok"), b"ok", ""),
        (b"HTTP/1.1 101 Switching\r\n\r\nwebsocket", b"", ""),
        (b"HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\nok", b"ok", ""),
        (CHUNKED + b"3  \r\nabc\r\n0\r\n\r\n", b"abc", ""),
        (CHUNKED + b"3\nabc\n0\n\n", b"", "connection"),
    ],
)
def test_the_body_is_framed_by_rfc_9112(serve, post, raw, body, cut):
    got = post(serve(once(raw)).url())
    assert (got.body, got.cut) == (body, cut)


def test_the_response_to_head_has_no_body(serve, post):
    server = serve(once(HEAD + b"Content-Length: 5000\r\n\r\n"))
    got = post(server.url(), method="HEAD", body=None)
    assert (got.status_code, got.body, got.cut) == (200, b"", "")


def test_a_malformed_header_line_loses_no_other(serve, post):
    raw = (
        b"HTTP/1.1 200 OK\r\n folded early\r\nA: 1\r\nno colon\r\n: no name\r\nB: x\r\n"
        b"  folded\r\nC: a\0b\rc\r\nD : \xe9 \r\nContent-Length: 2\r\n\r\nok"
    )
    assert post(serve(once(raw)).url()).fields == [
        ("A", "1"),
        ("B", "x folded"),
        ("C", "a b c"),
        ("D", "é"),
        ("Content-Length", "2"),
    ]


@pytest.mark.parametrize(
    ("head", "body", "cut"),
    [
        (b"HTTP/1.1 200\nContent-Length: 2\n", b"ok", ""),
        (b"HTTP/1.1  200  OK\r\nContent-Length: 2\r\n", b"ok", ""),
        (b"HTTP/1.2 200 OK\r\nContent-Length: 2\r\n", b"ok", ""),
        (HEAD + b"Content-Length : 2\r\n", b"ok", ""),
        (HEAD + b"Content-Length: 2\r\nContent-Length: 2, 2\r\n", b"ok", ""),
        (HEAD + b"Content-Length: 2\r\nX-A: \x01\r\n", b"ok", ""),
        (HEAD + b"Content-Length:\r\n", b"ok and more", ""),
        (HEAD + b"no colon\r\n", b"ok and more", ""),
        (HEAD + b"no colon\r\nContent-Length: 99\r\n", b"ok and more", "connection"),
        (b"HTTP/1.1 204 OK\r\nno colon\r\n", b"", ""),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + HEAD + b"no colon\r\n", b"ok and more", ""),
        (b"HTTP/1.1 199 Hints\r\nno colon\r\n\r\n" + HEAD, b"ok and more", ""),
    ],
)
def test_a_head_with_a_fault_is_read_all_the_same(serve, post, head, body, cut):
    got = post(serve(once(head + b"\r\nok and more")).url())
    assert got.ok
    assert (got.body, got.cut) == (body, cut)


def test_a_length_beside_chunks_counts_for_nothing(serve, post):
    raw = HEAD + b"Content-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n"
    got = post(serve(once(raw + b"2\r\nok\r\n0\r\n\r\n")).url())
    assert (got.body, got.cut) == (b"ok", "")
    assert got.headers["Content-Length"] == "9"


def test_a_head_with_a_fault_may_come_in_small_parts(serve, post):
    raw = HEAD + b"no colon\r\nA: 1\r\nContent-Length: 2\r\n\r\nok"
    got = post(serve(dripping(b"", raw, every=0.001)).url())
    assert (got.fields, got.body) == ([("A", "1"), ("Content-Length", "2")], b"ok")
    assert (got.reason, got.cut) == ("OK", "")


def test_the_reason_may_come_in_parts(serve, post):
    got = post(
        serve(dripping(b"", http_response(b"ok", status="201 Made"), 0.001)).url()
    )
    assert (got.status_code, got.reason) == (201, "Made")


def test_many_headers_of_one_name_are_joined(serve, post):
    got = post(serve(once(http_response(b"ok", *["a:1"] * 9000))).url())
    assert got.headers["A"] == ", ".join(["1"] * 9000)


@pytest.mark.parametrize(
    ("start", "more"),
    [
        (b"1;", b"x" * 60_000),
        (b"0\r\n", b"T: v\r\n" * 9000),
        (b"0\r\nT:", b"v" * 60_000),
    ],
    ids=["extension", "trailers", "trailer"],
)
def test_framing_without_end_is_cut(serve, post, start, more):
    def behave(peer: Peer) -> None:
        peer.request()
        peer.say(CHUNKED + b"2\r\nok\r\n" + start)
        while not peer.server.over.is_set():
            peer.say(more)

    got = post(serve(behave).url())
    assert (got.body, got.cut) == (b"ok", "connection")


def test_forty_kilobytes_of_headers_are_read(serve, post):
    many = [f"X-{number}: {'v' * 190}" for number in range(200)]
    got = post(serve(once(http_response(b"ok", *many))).url())
    assert (got.body, len(got.fields)) == (b"ok", 201)


@pytest.mark.parametrize("length", ["Content-Length: 10000000\r\n", ""])
def test_a_large_body_is_cut_at_the_limit(serve, post, length):
    raw = HEAD + length.encode() + b"\r\n" + b"x" * 10_000_000
    got = post(serve(once(raw)).url(), max_bytes=1000)
    assert (got.body, got.cut) == (b"x" * 1000, "size")


def test_an_endless_body_is_cut_at_the_limit(serve, post):
    got = post(serve(endless).url(), max_bytes=200_000)
    assert (len(got.body), got.cut) == (200_000, "size")


def test_of_100_megabytes_no_more_than_the_limit_is_taken_in(serve, post):
    server = serve(large(100_000_000))
    tracemalloc.start()
    try:
        got = post(server.url(), max_bytes=65_536)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (got.status_code, got.body, got.cut) == (200, b"x" * 65_536, "size")
    assert peak < 1_000_000
    # What the kernel had room for on its way, and no more: the client hung up.
    assert server.sent < 20_000_000


def test_the_whole_100_megabytes_are_there_for_who_wants_them(serve):
    server = serve(large(100_000_000))
    connection = HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.request("POST", "/")
    whole = connection.getresponse()
    assert sum(map(len, iter(lambda: whole.read(1_000_000), b""))) == 100_000_000
    connection.close()


def test_a_body_of_just_the_limit_is_whole(serve, post):
    short = gzip.compress(b"x" * 1000)
    for raw in (
        http_response(b"x" * 1000),
        HEAD + b"\r\n" + b"x" * 1000,
        http_response(short, "Content-Encoding: gzip"),
    ):
        got = post(serve(once(raw)).url(), max_bytes=1000)
        assert (len(got.body), got.cut) == (1000, "")


def test_a_connection_reset_in_the_body_keeps_what_was_read(serve, post):
    def behave(peer: Peer) -> None:
        peer.request()
        peer.say(http_response(b"start", length=100))
        peer.server.over.wait(0.1)
        peer.reset()

    got = post(serve(behave).url())
    assert (got.body, got.cut) == (b"start", "connection")


@pytest.mark.parametrize(
    "behaviour",
    [
        hangs_after(http_response(b"start", length=100)),
        hangs_after(CHUNKED + b"5\r\nstart\r\n"),
        hangs_after(HEAD + b"\r\nstart"),
        dripping(http_response(b"start", length=1000), b"." * 900),
        dripping(CHUNKED + b"5\r\nstart\r\n", b"1\r\n.\r\n" * 900),
    ],
    ids=["length", "chunks", "close", "drip", "drip chunks"],
)
def test_a_body_that_does_not_end_is_cut_at_the_deadline(serve, post, behaviour):
    got = post(serve(behaviour).url(), deadline=0.3)
    assert got.body.startswith(b"start")
    assert got.cut == "deadline"


def test_a_silence_in_the_body_is_cut_at_the_read_limit(serve, post):
    got = post(serve(hangs_after(http_response(b"start", length=100))).url(), read=0.2)
    assert (got.body, got.cut) == (b"start", "deadline")


def zipped(data: bytes, coding: str) -> bytes:
    for part in coding.split(","):
        data = gzip.compress(data, mtime=0) if "gzip" in part else zlib.compress(data)
    return data


@pytest.mark.parametrize(
    "coding",
    [
        "gzip",
        "x-gzip",
        "GZIP",
        "deflate",
        "gzip, gzip",
        "deflate, gzip, deflate",
    ],
)
def test_a_compressed_body_is_decoded(serve, post, coding):
    raw = http_response(
        zipped(b"hello" * 9, coding.lower()), f"Content-Encoding: {coding}"
    )
    got = post(serve(once(raw)).url())
    assert (got.body, got.cut) == (b"hello" * 9, "")


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_what_repeats_itself_far_apart_is_decoded(serve, post, coding):
    body = shake_128(b"").digest(30_000) * 2
    raw = http_response(zipped(body, coding), f"Content-Encoding: {coding}")
    assert post(serve(once(raw)).url()).body == body


@pytest.mark.parametrize(
    ("coding", "body", "decoded", "cut"),
    [
        ("deflate", zlib.compress(b"raw", wbits=-15), b"raw", ""),
        (
            "gzip",
            gzip.compress(b"one ", mtime=0) + gzip.compress(b"two", mtime=0),
            b"one two",
            "",
        ),
        ("gzip", gzip.compress(b"padded", mtime=0) + b"\0" * 9, b"padded", ""),
        ("identity", b"plain", b"plain", ""),
        ("br", b"unknown", b"unknown", ""),
        ("gzip", b"", b"", ""),
        ("gzip", b"not gzip at all", b"not gzip at all", "encoding"),
        ("deflate", b"\xff" * 9, b"\xff" * 9, "encoding"),
        ("gzip", zlib.compress(b"other"), zlib.compress(b"other"), "encoding"),
        ("gzip", gzip.compress(b"x" * 900, mtime=0)[:-9], b"x" * 900, "encoding"),
        ("gzip, gzip, gzip, gzip", b"deep", b"deep", "encoding"),
    ],
)
def test_odd_encodings_keep_what_can_be_kept(serve, post, coding, body, decoded, cut):
    got = post(serve(once(http_response(body, f"Content-Encoding: {coding}"))).url())
    assert (got.body, got.cut) == (decoded, cut)


@pytest.mark.parametrize("coding", ["gzip", "deflate", "gzip, gzip"])
def test_a_bomb_is_cut_without_being_unpacked(serve, post, coding):
    bomb = zipped(b"\0" * 50_000_000, coding)
    server = serve(once(http_response(bomb, f"Content-Encoding: {coding}")))
    tracemalloc.start()
    got = post(server.url(), max_bytes=100_000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (got.body, got.cut) == (b"\0" * 100_000, "size")
    assert peak < 3_000_000


def test_a_bomb_after_another_body_is_cut_as_well(serve, post):
    """Many gzip bodies in one (RFC 1952, 2.2) have one limit together."""
    body = gzip.compress(b"x" * 900_000) + gzip.compress(b"\0" * 50_000_000)
    server = serve(once(http_response(body, "Content-Encoding: gzip")))
    tracemalloc.start()
    got = post(server.url(), max_bytes=1_000_000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (got.body, got.cut) == (b"x" * 900_000 + b"\0" * 100_000, "size")
    assert peak < 4_000_000


def test_a_refusal_before_the_upload_is_read_is_still_a_response(serve, post):
    def behave(peer: Peer) -> None:
        peer.say(http_response(b"no", "Connection: close", status="413 Too Large"))
        # Half closed, so that the response is not lost in a reset.
        peer.sock.shutdown(1)
        peer.hang()

    assert post(serve(behave).url(), body=b"x" * 1000).status_code == 413
