from zoneinfo import available_timezones

from django.core.exceptions import ValidationError


def validate_time_zone(name: str) -> None:
    if name not in available_timezones():
        problem = "There is no time zone of this name. Give one such as Europe/Berlin."
        raise ValidationError(problem)
