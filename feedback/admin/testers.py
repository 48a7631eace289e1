from __future__ import annotations

from django.contrib import admin

from ..models import Tester
from .privacy import PrivacyPages


@admin.register(Tester)
class TesterAdmin(PrivacyPages):
    owner_fields = ("community",)
    list_display = ["email", "name", "company", "country", "community"]
    list_select_related = ["community"]
    change_form_template = "admin/feedback/tester/change_form.html"
    search_fields = ["email", "first_name", "last_name", "company"]
    fieldsets = [
        (
            None,
            {
                "fields": [
                    "community",
                    "email",
                    ("first_name", "last_name"),
                    ("phone", "company"),
                ]
            },
        ),
        (
            "Postal address",
            {
                "fields": [
                    "street1",
                    "street2",
                    ("postal_code", "city"),
                    ("region", "country"),
                ]
            },
        ),
        (None, {"fields": ["score"]}),
        ("From other systems", {"fields": ["external_data"]}),
    ]
