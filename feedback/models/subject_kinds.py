from django.db.models import TextChoices


class SubjectKind(TextChoices):
    """What a macro is run on and a filter selects: the value names a model."""

    FEEDBACK = "feedback", "Ticket"
    TESTER = "tester", "Tester"
