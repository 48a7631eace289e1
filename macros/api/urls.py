from rest_framework.routers import SimpleRouter

from .secrets import SecretViewSet
from .views import MacroViewSet

router = SimpleRouter()
router.register("macros", MacroViewSet)
router.register("secrets", SecretViewSet)
urlpatterns = router.urls
