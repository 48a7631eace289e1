from __future__ import annotations

from typing import Any

from .communities import Community, Project
from .types import FeedbackType


class Owned:
    """A row of a community, and of a project and a feedback type where it is narrower.

    A mixin of models with these three columns.
    """

    community: Any
    project: Any
    feedback_type: Any

    def find_owners(self) -> None:
        """A type says the project, and a project the community."""
        if self.feedback_type is not None:
            self.project = self.feedback_type.project
        if self.project is not None:
            self.community = self.project.community

    @property
    def owner(self) -> FeedbackType | Project | Community:
        """What it belongs to: the narrowest of the three."""
        owner: FeedbackType | Project | Community = (
            self.feedback_type or self.project or self.community
        )
        return owner
