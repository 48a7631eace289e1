"""Where files are kept, and which are taken as attachments."""

from __future__ import annotations

from typing import Any

_OFFICE = "application/vnd.openxmlformats-officedocument."
# Nothing that a browser or a desktop runs when it is opened.
DEFAULT_TYPES = [
    *("image/png", "image/jpeg", "image/gif", "image/webp", "image/heif"),
    *("image/bmp", "image/tiff", "video/mp4", "video/quicktime", "video/webm"),
    *("audio/mpeg", "audio/wav", "application/pdf"),
    f"{_OFFICE}wordprocessingml.document",
    f"{_OFFICE}spreadsheetml.sheet",
    f"{_OFFICE}presentationml.presentation",
    "application/vnd.oasis.opendocument.text",
    "application/vnd.oasis.opendocument.spreadsheet",
    *("application/zip", "application/gzip"),
    *("text/plain", "text/csv", "application/json"),
]


def storages_in(*, attachments: str, packages: str) -> dict[str, Any]:
    """Django's STORAGES, each in a folder of its own."""
    return {
        "staticfiles": {
            "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        },
        "attachments": _private(attachments),
        "packages": _private(packages),
    }


def _private(folder: str) -> dict[str, Any]:
    """Read by the web server's own user alone."""
    return {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {
            "location": folder,
            "file_permissions_mode": 0o600,
            "directory_permissions_mode": 0o700,
        },
    }
