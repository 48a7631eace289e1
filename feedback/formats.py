"""The formats of what is stored for another process to read: all their numbers.

During an upgrade processes of two versions work on the same rows, and after a step
back the older one meets what the newer one has written. So each of these says which
format it has; what says nothing has the first. A reader takes every format up to the
number here. What is newer it refuses with a sentence and leaves as it is, due for a
process of that version: `docs/upgrading.md`.

Raise a number where a version that knows only the old one would read what is written
now wrongly or not at all: another shape, a kind of step, a tag or a filter of tags that
is new (`tests/formats` has the words of each format), another job.
"""

from __future__ import annotations

# A run's snapshot, in its member `format`; for what is kept with the run, too: what had
# changed, and what the event said.
RUN = 1
# A job on the queue, in its meta data.
JOB = 1
# The parts of a multipart request on the log. The first format is a plain list, a later
# one an object with `format` and `parts`.
PARTS = 1
# A file of macros and types, in its member `centerhook`.
CONFIG_FILE = 1
# The columns `format`, and `format_version` of a data package's file.
PACKAGE_FILE = 1
IMPORT = 1
RESPONSE = 1


class NewerFormat(Exception):
    """A newer version wrote it: the sentence says so."""


class UnknownFormat(ValueError):
    """No version wrote it."""


UNREADABLE = (NewerFormat, UnknownFormat)


def check(written: object, known: int, noun: str) -> int:
    """The number of the format. Raises NewerFormat or UnknownFormat.

    `noun` begins the sentence: `The run is of a newer version of CenterHook ...`.
    """
    if written is None:
        return 1
    # To Python, true is a number.
    if type(written) is not int or written < 1:
        raise UnknownFormat(f"{noun} has a format that no version has.")
    if written > known:
        raise NewerFormat(
            f"{noun} is of a newer version of CenterHook (format {written}, and this"
            f" one reads up to {known})."
        )
    return written


def is_readable(written: object, known: int) -> bool:
    """Whether this version reads it."""
    try:
        check(written, known, "It")
    except UNREADABLE:
        return False
    return True
