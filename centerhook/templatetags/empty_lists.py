"""What stands where a list has no rows: what goes there, and where it comes from."""

from __future__ import annotations

from typing import Any

from django import template

register = template.Library()

WORDS = {
    "auth.group": "Groups are not needed: people get their rights by roles.",
    "auth.user": "The people who sign in here.",
    "feedback.apikey": "A key lets another program in. A community's macros are locked"
    " until it has one.",
    "feedback.community": "A community is who you work with, such as a company or a"
    " product line. Everything else belongs to one.",
    "feedback.datapackage": "A data package is a table that Excel, Power BI, Tableau or"
    " Google Sheets reads by itself: choose its rows and columns, and copy the URL.",
    "feedback.externalsource": "A source is a URL to which another program sends"
    " tickets of one type, such as a form on your web site.",
    "feedback.feedback": "Tickets come from testers, from other programs, from files,"
    " or are typed in here.",
    "feedback.feedbacktype": "A feedback type is a kind of ticket, such as Bug Report,"
    " with its questions and statuses.",
    "feedback.filter": "A filter is a set of conditions under a name: for lists,"
    " triggers, schedules, listeners and data packages.",
    "feedback.keyuse": "Uses and refusals of API keys are counted here, hour by hour.",
    "feedback.member": "Members are the people who work in a community, each with"
    " roles.",
    "feedback.project": "A project is a test or a program. It has feedback types and"
    " macros.",
    "feedback.recordlookup": "A record lookup is a URL at which another program asks"
    " for one ticket, tester or project, and gets the fields that you choose.",
    "feedback.tester": "Testers are the people who submit tickets. They come with their"
    " tickets, from other programs, from files, or are typed in here.",
    "logs.auditentry": "Who did what is written down here as it happens.",
    "logs.delivery": "Every request that a macro sends is here, with the response. Open"
    " a list of tickets, tick some, choose a macro and click Perform Action.",
    "logs.destination": "Where requests were sent is listed here after the first one:"
    " how each destination does, and how fast it is sent to.",
    "logs.run": "A run is one macro on many tickets or testers. Open a list of tickets,"
    " tick some, choose a macro and click Perform Action.",
    "macros.inboundcall": "Calls of other systems are listed here as they come to a"
    " listener.",
    "macros.listener": "A listener is a URL that another system calls, such as Jira"
    " when an issue moves. It changes tickets and runs macros.",
    "macros.macro": "A macro says what is done with a ticket or tester: a web request,"
    " a change, an e-mail. Presets for Slack, Jira and others are a start.",
    "macros.schedule": "A schedule runs a macro by the clock, such as every Monday at"
    " nine.",
    "macros.secret": "A secret is a password or token that macros use by its name and"
    " nobody can read.",
    "macros.trigger": "A trigger runs a macro when something happens, such as a new"
    " ticket.",
}


@register.simple_tag
def empty_words(opts: Any) -> str:
    return WORDS.get(opts.label_lower, "")
