from rest_framework.routers import SimpleRouter

from .attachments import AttachmentViewSet
from .comments import CommentViewSet
from .filters import FilterViewSet
from .lookups import LookupViewSet
from .members import ApiKeyViewSet, MemberViewSet
from .owners import CommunityViewSet, ProjectViewSet
from .packages import PackageViewSet
from .source_rows import SourceViewSet
from .testers import TesterViewSet
from .types import FeedbackTypeViewSet
from .views import FeedbackViewSet

router = SimpleRouter()
router.register("api-keys", ApiKeyViewSet)
router.register("attachments", AttachmentViewSet)
router.register("comments", CommentViewSet)
router.register("communities", CommunityViewSet)
router.register("feedback", FeedbackViewSet)
router.register("filters", FilterViewSet)
router.register("lookups", LookupViewSet)
router.register("members", MemberViewSet)
router.register("projects", ProjectViewSet)
router.register("sources", SourceViewSet)
router.register("packages", PackageViewSet)
router.register("testers", TesterViewSet)
router.register("types", FeedbackTypeViewSet)
urlpatterns = router.urls
