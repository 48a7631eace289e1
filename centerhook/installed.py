"""Which apps a process is made of: one that only delivers has none of pages."""

from __future__ import annotations

# What shows pages, signs people in, or answers programs. A worker has no use for their
# tables, and deletes no user, to whom some of them refer.
_FOR_PAGES = [
    "centerhook.admin_app.CenterHookAdminConfig",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.forms",
    "axes",
    "csp",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_otp.plugins.otp_static",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "rest_framework",
    "django_filters",
    "centerhook.sign_in",
]
_EVERYWHERE = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django_rq",
    "centerhook.apps.CenterHookConfig",
    "feedback",
    "logs",
    "macros",
]


def apps(*, with_pages: bool) -> list[str]:
    return [*_FOR_PAGES, *_EVERYWHERE] if with_pages else _EVERYWHERE
