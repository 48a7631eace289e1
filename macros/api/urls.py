from rest_framework.routers import SimpleRouter

from .automations import ScheduleViewSet, TriggerViewSet
from .calls import CallViewSet, EventViewSet
from .listeners import ListenerViewSet
from .secrets import SecretViewSet
from .versions import VersionViewSet
from .views import MacroViewSet

router = SimpleRouter()
router.register("macros", MacroViewSet)
router.register("secrets", SecretViewSet)
router.register("triggers", TriggerViewSet)
router.register("schedules", ScheduleViewSet)
router.register("listeners", ListenerViewSet)
router.register("calls", CallViewSet, "call")
router.register("events", EventViewSet, "event")
router.register("versions", VersionViewSet, "version")
urlpatterns = router.urls
