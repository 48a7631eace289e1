"""A mail server on loopback that keeps what it takes, and refuses when it has to."""

from __future__ import annotations

import socketserver
import threading
from email import message_from_bytes
from email.message import Message
from email.policy import default


class MailServer(socketserver.ThreadingTCPServer):
    """`refusals` are replies to RCPT TO by address, taken in order, one a try."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Session)
        self.messages: list[Message] = []
        self.recipients: list[str] = []
        self.refusals: dict[str, list[str]] = {}
        self.hangs_up_after_data = False
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,))

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def __enter__(self) -> MailServer:
        self._thread.start()
        return self

    def __exit__(self, *args: object) -> None:
        self.shutdown()
        self.server_close()
        self._thread.join()


class _Session(socketserver.StreamRequestHandler):
    server: MailServer

    def handle(self) -> None:
        self._say("220 test ESMTP")
        for line in self.rfile:
            word, _, rest = line.decode().strip().partition(" ")
            if word.upper() == "QUIT":
                self._say("221 bye")
                return
            if word.upper() == "RCPT":
                self._say(self._recipient(rest.partition("<")[2].partition(">")[0]))
            elif word.upper() == "DATA":
                self._say("354 go on")
                self._take()
                if self.server.hangs_up_after_data:
                    return
                self._say("250 taken")
            else:
                self._say("250 fine")

    def _recipient(self, address: str) -> str:
        left = self.server.refusals.get(address, [])
        if left:
            return left.pop(0)
        self.server.recipients.append(address)
        return "250 fine"

    def _take(self) -> None:
        lines = []
        for line in self.rfile:
            if line == b".\r\n":
                break
            lines.append(line.removeprefix(b"."))
        self.server.messages.append(
            message_from_bytes(b"".join(lines), policy=default)  # type: ignore[arg-type]
        )

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())
