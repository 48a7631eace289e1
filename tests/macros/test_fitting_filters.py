"""Which filters a macro takes is one rule, asked of a row and of the database."""

from __future__ import annotations

import pytest

from feedback.models import Filter
from macros.models import fits, fitting
from tests import factories

pytestmark = pytest.mark.django_db


def test_the_rule_and_its_query_say_the_same_of_every_pair() -> None:
    bugs, far = factories.feedback_type(), factories.feedback_type()
    project, community = bugs.project, bugs.project.community
    ideas = project.feedback_types.create(name="Idea", prefix="IDEA")
    watch = community.projects.create(name="Watch")
    owners = [bugs, ideas, project, watch, community, far, far.project]
    for owner in [*owners, far.project.community]:
        factories.saved_filter(owner)
    for owner in (project, watch, far.project):
        factories.saved_filter(owner, subject_kind="feedback")
    macros = [factories.macro(owner) for owner in (bugs, project, community)]
    counts = []
    for macro in macros:
        chosen = {row for row in Filter.objects.all() if fits(row, macro)}
        assert set(Filter.objects.filter(fitting(macro))) == chosen
        counts.append(len(chosen))
    # Its type's and its project's; its project's and its community's; its community's.
    assert counts == [2, 2, 1]
