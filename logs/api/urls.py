from rest_framework.routers import SimpleRouter

from .audit import AuditViewSet
from .deliveries import AttemptViewSet, DeliveryViewSet
from .destinations import DestinationViewSet
from .runs import RunViewSet

router = SimpleRouter()
router.register("runs", RunViewSet)
router.register("deliveries", DeliveryViewSet)
router.register("attempts", AttemptViewSet)
router.register("destinations", DestinationViewSet)
router.register("audit", AuditViewSet, "audit")
urlpatterns = router.urls
