from .api_keys import ApiKey
from .communities import Community, Project
from .members import Grant, Member
from .testers import Tester
from .tickets import Comment, Feedback, Visibility
from .types import FeedbackType, FieldKind, FormField, Status, key_from_label

__all__ = [
    "ApiKey",
    "Comment",
    "Community",
    "Feedback",
    "FeedbackType",
    "FieldKind",
    "FormField",
    "Grant",
    "Member",
    "Project",
    "Status",
    "Tester",
    "Visibility",
    "key_from_label",
]
