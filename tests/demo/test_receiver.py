from __future__ import annotations

import hashlib
import hmac
import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from centerhook.receiver import CallBack, Receiver, memory

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def connection(receiver: Receiver) -> Iterator[socket.socket]:
    address = urlsplit(receiver.url)
    assert address.hostname and address.port
    with closing(socket.create_connection((address.hostname, address.port))) as sock:
        sock.settimeout(5)
        yield sock


def read(sock: socket.socket, end: bytes) -> bytes:
    data = b""
    while not data.endswith(end) and (more := sock.recv(65536)):
        data += more
    return data


def request(path: str, *headers: str, body: bytes = b"", method: str = "POST") -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: x", *headers]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body


@pytest.mark.parametrize(
    ("path", "status", "text"),
    [
        ("/slack/services/T1/B2/x", 200, "ok"),
        ("/ok", 200, "ok"),
        ("/ok?a=/fail", 200, "ok"),
        ("/status/201", 201, ""),
        ("/status/503/anything", 503, ""),
        ("/status/204", 204, ""),
        ("/status/700", 400, "Give a status from 200 to 599."),
        ("/status/x", 400, "Give a status from 200 to 599."),
        ("/delay/1", 200, "ok"),
        ("/delay/soon", 400, "Give the delay in milliseconds."),
        ("/fail/tracker", 500, "The tracker is down for maintenance."),
    ],
)
def test_each_path_behaves_as_its_name_says(receiver, path, status, text):
    response = requests.post(receiver.url + path)
    assert (response.status_code, response.text) == (status, text)
    assert [kept.status for kept in receiver.requests] == [status]


def test_an_unknown_path_is_not_found_but_remembered(receiver):
    assert requests.get(f"{receiver.url}/nowhere").status_code == 404
    assert receiver.requests[0].path == "/nowhere"


def test_jira_gives_each_issue_a_new_key(receiver):
    url = f"{receiver.url}/jira/rest/api/3/issue"
    first, second = (requests.post(url, json={}) for _ in range(2))
    assert first.status_code == 201
    assert first.json()["key"].startswith("DEMO-")
    assert first.json()["key"] != second.json()["key"]
    assert first.json()["id"] != second.json()["id"]


def test_a_delayed_response_takes_its_time_and_holds_up_nobody_else(
    receiver, connection
):
    begun = time.monotonic()
    connection.sendall(request("/delay/300"))
    assert requests.get(f"{receiver.url}/ok").ok
    assert time.monotonic() - begun < 0.25
    assert read(connection, b"ok").startswith(b"HTTP/1.1 200 OK")
    assert time.monotonic() - begun >= 0.3


def test_responses_on_one_connection_keep_their_order(connection):
    connection.sendall(request("/delay/100") + request("/status/404"))
    responses = read(connection, b"Content-Length: 0\r\n\r\n")
    assert responses.index(b"200 OK") < responses.index(b"404 Not Found")


def test_a_response_comes_whole_in_one_piece(connection):
    connection.sendall(request("/ok"))
    assert connection.recv(65536) == (
        b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\n"
        b"Content-Length: 2\r\n\r\nok"
    )


def test_a_request_may_arrive_in_pieces(receiver, connection):
    whole = request("/slack/x", "Webhook-Id: d1", body=b'{"text": "hello"}')
    for byte in whole:
        connection.sendall(bytes([byte]))
    assert read(connection, b"ok")
    assert receiver.requests[0].json() == {"text": "hello"}
    assert receiver.ids == {"d1": 1}


def test_connections_are_kept_unless_the_client_asks_to_close(connection):
    connection.sendall(request("/ok"))
    assert read(connection, b"ok")
    connection.sendall(request("/ok", "Connection: close"))
    assert read(connection, b"never").endswith(b"ok")


def test_the_response_to_head_has_no_body(connection):
    connection.sendall(request("/ok", method="HEAD") + request("/status/404"))
    assert b"Content-Length: 2\r\n\r\nHTTP/1.1 404" in read(connection, b": 0\r\n\r\n")


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"nonsense\r\n\r\n", b"400"),
        (b"POST /ok HTTP/1.1\r\nContent-Length: -1\r\n\r\n", b"400"),
        (b"POST /ok HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", b"411"),
        (b"POST /ok HTTP/1.1\r\nContent-Length: 99999999999999\r\n\r\n", b"413"),
        (b"POST /ok HTTP/1.1\r\nX: " + b"x" * 70_000, b"431"),
    ],
)
def test_what_is_no_proper_request_is_refused_and_hung_up_on(
    receiver, connection, data, status
):
    connection.sendall(data)
    assert read(connection, b"never").split(b" ")[1] == status
    assert receiver.total == 0


def test_delivery_ids_are_counted_with_their_repeats(receiver):
    for delivery in ("a", "b", "a"):
        requests.post(f"{receiver.url}/fail/x", headers={"Webhook-Id": delivery})
    assert receiver.ids == {"a": 2, "b": 1}
    assert receiver.total == 3


def test_the_machine_form_tells_all(receiver):
    requests.post(
        f"{receiver.url}/slack/x?y=1", data="hi", headers={"Webhook-Id": "d1"}
    )
    data = requests.get(f"{receiver.url}/received.json").json()
    kept = data["requests"].pop()
    assert data == {
        "total": 1,
        "paths": {"/slack/x": 1},
        "ids": {"d1": 1},
        "requests": [],
    }
    assert abs(kept.pop("at") - time.time()) < 60
    assert ["Webhook-Id", "d1"] in kept.pop("headers")
    assert kept == {
        "method": "POST",
        "target": "/slack/x?y=1",
        "body": "hi",
        "status": 200,
    }
    without = requests.get(f"{receiver.url}/received.json?ids=0").json()
    assert "ids" not in without and without["total"] == 1


def test_the_page_for_people_escapes_what_it_shows(receiver):
    requests.post(
        f"{receiver.url}/slack/x",
        data=json.dumps({"text": "<script>alert(1)</script>"}),
        headers={"Webhook-Id": "<b>", "X-Odd": "<i>"},
    )
    page = requests.get(receiver.url)
    assert "&lt;script&gt;alert(1)" in page.text
    assert "<script" not in page.text and "<i>" not in page.text
    assert "&lt;b&gt;" in page.text
    assert "style=" not in page.text and "<style" not in page.text
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    style = requests.get(f"{receiver.url}/style.css")
    assert style.headers["Content-Type"] == "text/css; charset=utf-8"
    assert "prefers-color-scheme: dark" in style.text


def test_the_pages_themselves_are_not_remembered(receiver):
    for path in ("/", "/style.css", "/received.json", "/favicon.ico"):
        assert requests.get(receiver.url + path).ok
    assert receiver.total == 0


def test_clearing_forgets_everything_and_leads_back_to_the_page(receiver):
    requests.post(f"{receiver.url}/ok", headers={"Webhook-Id": "d1"})
    response = requests.post(f"{receiver.url}/reset")
    assert response.url == f"{receiver.url}/" and "Nothing yet" in response.text
    assert (receiver.total, dict(receiver.ids), receiver.requests) == (0, {}, [])


def test_memory_is_bounded_and_totals_go_on(receiver, monkeypatch):
    monkeypatch.setattr(memory, "MAX_PATHS", 2)
    monkeypatch.setattr(memory, "MAX_IDS", 2)
    with requests.Session() as session:
        for number in range(memory.MAX_REQUESTS + 5):
            session.post(
                f"{receiver.url}/ok/{number}", headers={"Webhook-Id": str(number)}
            )
    assert receiver.total == memory.MAX_REQUESTS + 5
    assert [kept.path for kept in receiver.requests[:1]] == ["/ok/5"]
    assert len(receiver.requests) == memory.MAX_REQUESTS
    assert receiver.ids == {"0": 1, "1": 1}
    assert receiver.memory.paths == {
        "/ok/0": 1,
        "/ok/1": 1,
        memory.OTHER_PATHS: memory.MAX_REQUESTS + 3,
    }


def test_big_bodies_push_out_older_requests(receiver, monkeypatch):
    monkeypatch.setattr(memory, "MAX_BYTES", 1000)
    for letter in ("a", "b", "c"):
        requests.post(f"{receiver.url}/ok", data=letter * 400)
    assert [kept.text[0] for kept in receiver.requests] == ["b", "c"]


def test_leaving_frees_the_port_and_hangs_up():
    with Receiver() as receiver:
        address = urlsplit(receiver.url)
        assert address.hostname and address.port
        sock = socket.create_connection((address.hostname, address.port))
        sock.sendall(request("/ok"))
        assert read(sock, b"ok")
    with closing(sock):
        assert _is_hung_up(sock)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((address.hostname, address.port))


def _is_hung_up(sock: socket.socket) -> bool:
    try:
        return sock.recv(1) == b""
    except ConnectionResetError:
        return True


@pytest.mark.processes
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_command_says_where_it_listens_and_ends_on_a_signal(number):
    command = [sys.executable, "manage.py", "receiver", "--port", "0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as child:
        assert child.stdout
        line = child.stdout.readline().decode()
        assert line.startswith("listening on http://127.0.0.1:")
        assert requests.get(f"{line.split()[-1]}/ok").text == "ok"
        child.send_signal(number)
        assert child.wait(10) == 0


@pytest.mark.processes
def test_the_command_refuses_a_taken_port_with_a_sentence(receiver):
    port = str(urlsplit(receiver.url).port)
    command = [sys.executable, "manage.py", "receiver", "--port", port]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1
    assert f"Can't listen on 127.0.0.1:{port}" in done.stderr
    assert "Traceback" not in done.stderr


ABOUT_12 = {"text": "BUG-3 <http://127.0.0.1:8000/admin/feedback/feedback/12/change/>"}


def test_nothing_is_sent_back_where_nobody_listens(receiver):
    requests.post(f"{receiver.url}/slack/x", json=ABOUT_12)
    assert "issue closed" not in requests.get(receiver.url).text
    assert requests.post(f"{receiver.url}/close", {"ticket": "12"}).status_code == 404


def test_a_button_closes_the_issue_of_a_ticket(receiver):
    caller = CallBack(f"{receiver.url}/ok", "a-signing-secret")
    with Receiver(caller=caller) as other:
        requests.post(f"{other.url}/slack/x", json=ABOUT_12)
        requests.post(f"{other.url}/slack/x", json={"text": "of no ticket"})
        page = requests.get(other.url).text
        assert page.count("Send &quot;issue closed&quot; back") == 0
        assert page.count('action="/close"') == 1
        assert 'name="ticket" value="12"' in page
        back = requests.post(f"{other.url}/close", {"ticket": "12"})
        assert back.url == f"{other.url}/"
        for _ in range(100):
            if caller.sent:
                break
            time.sleep(0.02)
        assert "ticket 12 closed: CenterHook responded 200" in (
            requests.get(other.url).text
        )
    [call] = receiver.requests
    assert call.json() | {"at": ""} == {
        "event": "issue closed",
        "at": "",
        "ticket": "12",
        "status": "Done",
    }
    digest = hmac.new(b"a-signing-secret", call.body, hashlib.sha256).hexdigest()
    assert ("X-Hub-Signature-256", f"sha256={digest}") in call.headers


@pytest.mark.parametrize("ticket", ["", "x", "-1", "1" * 19, "\u0661"])
def test_only_a_number_is_sent_back(receiver, ticket):
    with Receiver(caller=CallBack(f"{receiver.url}/ok", "secret")) as other:
        sent = requests.post(f"{other.url}/close", {"ticket": ticket})
        assert sent.status_code == 400
    assert not receiver.requests
