from rest_framework.routers import SimpleRouter

from .secrets import SecretViewSet
from .versions import VersionViewSet
from .views import MacroViewSet

router = SimpleRouter()
router.register("macros", MacroViewSet)
router.register("secrets", SecretViewSet)
router.register("versions", VersionViewSet, "version")
urlpatterns = router.urls
