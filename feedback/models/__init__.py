from .api_keys import ACCEPTED, ApiKey, KeyOutcome, KeyScope, KeyState
from .attachments import Attachment
from .comments import Comment, CommentEdit
from .communities import Community, Project
from .deleting import DeletedInSteps
from .filters import Filter
from .imports import ImportPart, ImportState, TicketImport
from .installation import Installation, Mode
from .key_uses import KeyUse
from .loading import QuickLoading
from .lookups import WAYS, FoundBy, LookupKind, LookupMiss, RecordLookup
from .members import Grant, Member
from .packages import (
    DataPackage,
    PackageFormat,
    PackageRows,
    RefreshEvery,
    Snapshot,
    SnapshotState,
)
from .preferences import Preference
from .responses import StoredResponse
from .saved_in_part import SavedInPart
from .sources import ExternalSource, SourceTicket
from .subject_kinds import SubjectKind
from .testers import Tester
from .tickets import Feedback, Visibility
from .types import (
    CHOICE_KINDS,
    USUAL_STATUSES,
    FeedbackType,
    FieldKind,
    FormField,
    Status,
    StatusColour,
    key_from_label,
)

__all__ = [
    "ACCEPTED",
    "ApiKey",
    "Attachment",
    "CHOICE_KINDS",
    "USUAL_STATUSES",
    "WAYS",
    "Comment",
    "CommentEdit",
    "Community",
    "DataPackage",
    "DeletedInSteps",
    "ExternalSource",
    "Feedback",
    "FeedbackType",
    "FieldKind",
    "Filter",
    "FormField",
    "FoundBy",
    "Grant",
    "ImportPart",
    "ImportState",
    "Installation",
    "KeyOutcome",
    "KeyScope",
    "KeyState",
    "KeyUse",
    "LookupKind",
    "LookupMiss",
    "Member",
    "Mode",
    "PackageFormat",
    "PackageRows",
    "Preference",
    "Project",
    "QuickLoading",
    "RecordLookup",
    "RefreshEvery",
    "SavedInPart",
    "Snapshot",
    "SnapshotState",
    "SourceTicket",
    "Status",
    "StatusColour",
    "StoredResponse",
    "SubjectKind",
    "Tester",
    "TicketImport",
    "Visibility",
    "key_from_label",
]
