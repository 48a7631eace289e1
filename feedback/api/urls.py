from rest_framework.routers import SimpleRouter

from .attachments import AttachmentViewSet
from .comments import CommentViewSet
from .filters import FilterViewSet
from .packages import PackageViewSet
from .testers import TesterViewSet
from .views import FeedbackViewSet

router = SimpleRouter()
router.register("attachments", AttachmentViewSet)
router.register("comments", CommentViewSet)
router.register("feedback", FeedbackViewSet)
router.register("filters", FilterViewSet)
router.register("packages", PackageViewSet)
router.register("testers", TesterViewSet)
urlpatterns = router.urls
