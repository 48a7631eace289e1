"""E-mail addresses in one field, separated by commas."""

from django.core.exceptions import ValidationError
from django.core.validators import validate_email


def split_emails(text: str) -> list[str]:
    return [address.strip() for address in text.split(",") if address.strip()]


def validate_emails(text: str) -> None:
    for address in split_emails(text):
        try:
            validate_email(address)
        except ValidationError:
            raise ValidationError(f"'{address}' is not an e-mail address.") from None
