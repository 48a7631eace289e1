from rest_framework.routers import SimpleRouter

from .testers import TesterViewSet
from .views import FeedbackViewSet

router = SimpleRouter()
router.register("feedback", FeedbackViewSet)
router.register("testers", TesterViewSet)
urlpatterns = router.urls
