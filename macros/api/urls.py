from rest_framework.routers import SimpleRouter

from .views import MacroViewSet

router = SimpleRouter()
router.register("macros", MacroViewSet)
urlpatterns = router.urls
