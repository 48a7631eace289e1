from rest_framework.routers import SimpleRouter

from .deliveries import DeliveryViewSet
from .runs import RunViewSet

router = SimpleRouter()
router.register("runs", RunViewSet)
router.register("deliveries", DeliveryViewSet)
urlpatterns = router.urls
