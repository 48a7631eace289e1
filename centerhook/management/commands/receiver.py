from __future__ import annotations

import os
import signal
import socket
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from centerhook.receiver import CallBack, Receiver


class Command(BaseCommand):
    help = "Receive web requests locally and show them on a page; remembers in memory."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=0, help="0 takes a free one.")
        parser.add_argument(
            "--listener",
            default="",
            help="The address of a listener, to which the page offers to send calls."
            " They are signed with what is in the environment as RECEIVER_SECRET.",
        )
        parser.add_argument("--fd", type=int, help="A socket that listens already.")

    def handle(self, *args: object, **options: Any) -> None:
        receiver = _receiver(options["host"], options["port"], options["fd"])
        if options["listener"]:
            secret = os.environ.get("RECEIVER_SECRET", "")
            receiver.caller = CallBack(options["listener"], secret)

        def stop(signum: int, frame: FrameType | None) -> None:
            receiver.stop()

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        self.stdout.write(f"listening on {receiver.url}")
        self.stdout.flush()
        receiver.run()


def _receiver(host: str, port: int, fd: int | None) -> Receiver:
    if fd is not None:
        return Receiver(sock=socket.socket(fileno=fd))
    try:
        return Receiver(host, port)
    except OSError as error:
        raise CommandError(f"Can't listen on {host}:{port}: {error}") from error
