"""Long bodies of one process take a bounded room, and one destination a part of it."""

from __future__ import annotations

import gc
import gzip
from typing import Any

from requests import PreparedRequest

from macros.http.messages import Response
from macros.http.room import FREE, Room
from tests.http.hostile import always, http_response


def test_a_destination_has_a_share_and_all_together_the_room() -> None:
    room = Room(permits=3, share=2)
    held = [room.take("a", 0), room.take("a", 0)]
    assert all(held) and room.take("a", 0) is None
    other = room.take("b", 0)
    assert other and room.take("c", 0) is None
    held.pop()
    assert room.take("c", 0)


def test_who_leaves_makes_room_for_one_and_no_more() -> None:
    room = Room(permits=9, share=2)
    held = [room.take("a", 0), room.take("a", 0)]
    for _ in range(3):
        held.pop()
        held.append(room.take("a", 0))
        assert all(held) and room.take("a", 0) is None
    held.clear()
    held = [room.take("a", 0), room.take("a", 0)]
    assert all(held) and room.take("a", 0) is None


def test_a_place_is_held_as_long_as_the_response() -> None:
    room = Room(permits=1, share=1)

    def response() -> Response:
        made = Response(PreparedRequest(), 200, "", [], b"")
        made.permit = room.take("a", 0)
        return made

    first = response()
    assert first.permit and room.take("a", 0) is None
    del first
    gc.collect()
    assert room.take("a", 0)


def test_a_short_body_needs_no_place(serve: Any, post: Any) -> None:
    for size in (1, FREE, FREE + 1):
        raw = http_response(gzip.compress(b"x" * size), "Content-Encoding: gzip")
        got = post(serve(always(raw)).url())
        assert (len(got.body), got.permit is None) == (size, size <= FREE)


def test_without_a_place_a_body_is_cut(serve: Any, post: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("macros.http.room.Room.take", lambda *arguments: None)
    short, long = b"x" * FREE, b"x" * 5 * FREE
    packed = http_response(gzip.compress(short), "Content-Encoding: gzip")
    for raw in (http_response(short), packed):
        got = post(serve(always(raw)).url(), max_bytes=10 * FREE)
        assert (len(got.body), got.cut) == (FREE, "")
    got = post(serve(always(http_response(long))).url(), max_bytes=10 * FREE)
    assert got.cut == "size" and len(got.body) <= 3 * FREE
