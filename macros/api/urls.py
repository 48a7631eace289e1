from rest_framework.routers import SimpleRouter

from .automations import ScheduleViewSet, TriggerViewSet
from .secrets import SecretViewSet
from .versions import VersionViewSet
from .views import MacroViewSet

router = SimpleRouter()
router.register("macros", MacroViewSet)
router.register("secrets", SecretViewSet)
router.register("triggers", TriggerViewSet)
router.register("schedules", ScheduleViewSet)
router.register("versions", VersionViewSet, "version")
urlpatterns = router.urls
