"""A person whose data stands everywhere, and one beside her who must keep hers."""

from __future__ import annotations

import html
import re
from typing import Any
from urllib.parse import unquote_plus

from django.contrib.auth.models import User
from django.db import connection

from feedback.models import Comment, Feedback, FeedbackType, Tester
from logs import audit
from logs.audit.differences import differences
from logs.models import Action, Cause, Run
from macros import deliveries
from macros.models import Macro
from macros.runs import start_run
from tests import factories

EMAIL = "zoe.o'brien+beta@example.com"
PROFILE = {
    "email": EMAIL,
    "first_name": "Zoë",
    "last_name": "O'Brien",
    "phone": "+49 30 1234567",
    "company": "O'Brien & Söhne",
    "street1": "Grüner Weg 5",
    "street2": "c/o Hinterhaus",
    "city": "Zürich",
    "region": "Glarus Süd",
    "postal_code": "EH1-1AB",
    "country": "CH",
}
# What is left of her nowhere, in any form that `everything_stored` undoes.
TELLING = (
    "brien",
    "1234567",
    "söhne",
    "grüner weg",
    "hinterhaus",
    "glarus",
    "eh1-1ab",
    "member-4711",
)
BODY = """{
  "who": "((Submitter Name)) <((Submitter Email))>", "tel": "((Submitter Phone))",
  "where": "((Submitter Street)), ((Submitter Postal Code)) ((Submitter City))",
  "text": "((Description))"
}"""


def a_person(of: FeedbackType) -> Tester:
    """With the values of her profile in two tickets and their comments."""
    zoe = Tester.objects.create(
        community=of.project.community,
        external_data={"crm": {"id": "member-4711", "mail": EMAIL}},
        **PROFILE,
    )
    for title in ("Crash for ZOË O’BRIEN", "Zoe\u0308's second"):
        ticket = factories.ticket(
            of,
            title=title,
            submitter=zoe,
            description=f"I am Zoë\nO'brien, Grüner  Weg 5, EH1-1AB zürich. {EMAIL}.",
            form_values={"steps": "Call 0049 (30) 123-4567", "impact": 49301234567},
            external_data={
                "link": "https://x.test/?m=zoe.o%27brien%2Bbeta%40EXAMPLE.com"
            },
        )
        Comment.objects.create(feedback=ticket, text="Asked O&#x27;Brien by phone")
    return zoe


def a_neighbour(of: FeedbackType) -> Tester:
    """Somebody of the same first name and city; her ticket names the other one too."""
    other = factories.tester(of, "joan.zoe@example.com")
    Tester.objects.filter(pk=other.pk).update(
        first_name="Zoë", last_name="Meyer", city="Zürich", phone="+49 30 7654321"
    )
    factories.ticket(
        of, title="Zoë has it too", submitter=other, description="Zoë Meyer, Zürich"
    )
    other.refresh_from_db()
    return other


def a_mention(of: FeedbackType, by: Tester) -> Feedback:
    made = factories.ticket(
        of, title="Same as O'Brien, Zoë says", submitter=by, description=f"See {EMAIL}"
    )
    Comment.objects.create(feedback=made, text="As Zoë O'Brien wrote, Zoë")
    return made


def a_run(of: FeedbackType, url: str, **options: Any) -> Run:
    """All tickets of the type, delivered to the URL with her e-mail in it."""
    made: Macro = factories.macro(
        of, f"{url}?m=((Submitter Email))&again={EMAIL}", body=BODY, **options
    )
    chosen = Feedback.objects.filter(feedback_type=of)
    run = start_run(
        made, chosen, cause=Cause.ACTION, selection=f"submitter: {EMAIL}, Zoë O'Brien"
    )
    # She is in no macro afterwards: macros are edited by hand.
    made.steps.get().webrequest.__class__.objects.update(url=url)
    deliveries.work(run.pk)
    return run


def a_history(user: User, *rows: Any) -> None:
    """As the audit log tells of rows that were filled in."""
    for row in rows:
        changes = differences(None, row)
        audit.record(Action.CHANGED, row, actor=user, changes=changes)


def everything_stored() -> str:
    """Every column of every table, with codes undone, in lower case."""
    values = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            values += [str(value) for row in cursor.fetchall() for value in row]
    text = re.sub(
        r"\\+u([0-9a-f]{4})", lambda code: chr(int(code[1], 16)), "\n".join(values)
    )
    return html.unescape(unquote_plus(text)).lower().replace("’", "'")


def telling_in(text: str) -> list[str]:
    digits = re.sub(r"[\s()/.+-]", "", text)
    return [each for each in TELLING if each in text or each in digits]
