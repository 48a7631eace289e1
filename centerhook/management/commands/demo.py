from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from centerhook.demo import stopping
from centerhook.demo.browser import Browser
from centerhook.demo.children import Children
from centerhook.demo.errors import DemoError
from centerhook.demo.listener import signed_with
from centerhook.demo.perform import Result, close, perform, signed_in, submit
from centerhook.demo.processes import Addresses, running
from centerhook.demo.seed import Demo, seed
from macros.listeners.addresses import PREFIX


class Command(BaseCommand):
    help = "Show CenterHook at work: demo data, all processes, one action performed."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--once",
            action="store_true",
            help="Perform the action, check every delivery, and end.",
        )

    def handle(self, *args: object, **options: Any) -> None:
        stopping.listen()
        try:
            self._run(once=options["once"])
        except DemoError as error:
            raise CommandError(str(error)) from error
        except stopping.Stopped:
            if options["once"]:
                raise CommandError("Stopped before the end.") from None
            self._say("Stopped.")

    def _run(self, *, once: bool) -> None:
        self._say("Preparing the database ...")
        call_command("migrate", verbosity=0)
        addresses = Addresses(receiver=True)
        demo = seed(addresses.receiver_url)
        self._say("Starting web server, worker, clock and receiver ...")
        env = _environment(addresses) | {"RECEIVER_SECRET": _secret(demo)}
        with running(addresses, env, _address(demo, addresses)) as children:
            browser = signed_in(demo, addresses.web_url)
            is_sent = self._submit(demo, browser, addresses)
            self._say(
                f"Performing the action '{demo.macro}' on the open critical bugs"
                f" of {demo.feedback_type.project} ..."
            )
            result = perform(demo, browser, addresses.receiver_url)
            self._report(result)
            if not once:
                self._invite(demo, addresses, result)
                self._serve(children)
        if once and not (result.is_complete and is_sent):
            raise SystemExit(1)

    def _submit(self, demo: Demo, browser: Browser, addresses: Addresses) -> bool:
        """False where a trigger waited for the ticket and did not send it."""
        self._say("Submitting a critical bug ...")
        result = submit(demo, browser, addresses.receiver_url)
        if result is None:
            self._say("No trigger waits for it: somebody has changed that.")
            return True
        self._say(f"A trigger has {result}, after {result.seconds:.1f} s.")
        return result.is_complete and self._close(demo, addresses, result)

    def _close(self, demo: Demo, addresses: Addresses, result: Result) -> bool:
        """False where the receiver said that it is closed, and the ticket is not."""
        if demo.listener is None or not demo.listener.is_active:
            self._say("No listener hears the receiver: somebody has changed that.")
            return True
        closed = close(result, addresses.receiver_url)
        words = f"and {closed} is closed" if closed else "and its ticket is not"
        self._say(f"The receiver has closed the issue, {words}.")
        return bool(closed)

    def _report(self, result: Result) -> None:
        self._say("")
        for line in result.table():
            self._say(line)
        self._say("")
        self._say(str(result))

    def _invite(self, demo: Demo, addresses: Addresses, result: Result) -> None:
        url = addresses.web_url
        self._say(
            f"\nAdmin:     {url}/admin/"
            f"\nLogin:     {demo.username}"
            f"\nPassword:  {demo.password}"
            f"\nThis run:  {url}/admin/logs/run/{result.run.pk}/change/"
            f"\nReceived:  {addresses.receiver_url}/"
            "\n\nCtrl-C ends it."
        )

    def _serve(self, children: Children) -> None:
        while True:
            stopping.pause(1)
            for name, code in children.ended().items():
                self._say(
                    f"The {name} has ended (exit code {code}). Start the demo again."
                )

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


def _secret(demo: Demo) -> str:
    return signed_with(demo.listener) if demo.listener else ""


def _address(demo: Demo, addresses: Addresses) -> str:
    """The listener's, at the web server of this demo."""
    key = demo.listener.key if demo.listener else ""
    return f"{addresses.web_url}{PREFIX}{key}/" if key else ""


def _environment(addresses: Addresses) -> dict[str, str]:
    """The demo alone may send to loopback, since its receiver is there.

    It signs in by itself, so without a second factor.
    """
    networks = ["127.0.0.0/8", "::1/128", *settings.ALLOWED_NETWORKS]
    return {
        "ALLOWED_NETWORKS": ",".join(networks),
        "BASE_URL": addresses.web_url,
        "REQUIRE_SECOND_FACTOR": "off",
    }
