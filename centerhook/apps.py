from django.apps import AppConfig
from django.contrib.admin import apps


class CenterHookConfig(AppConfig):
    name = "centerhook"


class CenterHookAdminConfig(apps.AdminConfig):
    default = False
    default_site = "centerhook.site.CenterHookAdminSite"
