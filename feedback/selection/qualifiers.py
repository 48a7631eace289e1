"""How a value is compared: the words between a field and its value."""

from __future__ import annotations

import enum

from django.db.models import BooleanField, Case, Q, TextChoices, Value, When


class Qualifier(TextChoices):
    IS = "is", "is"
    IS_NOT = "is_not", "is not"
    IS_ONE_OF = "is_one_of", "is one of"
    CONTAINS = "contains", "contains"
    DOES_NOT_CONTAIN = "does_not_contain", "does not contain"
    STARTS_WITH = "starts_with", "starts with"
    ENDS_WITH = "ends_with", "ends with"
    GREATER = "greater", "is greater than"
    LESS = "less", "is less than"
    AT_LEAST = "at_least", "is at least"
    AT_MOST = "at_most", "is at most"
    AFTER = "after", "is on or after"
    BEFORE = "before", "is before"
    BETWEEN = "between", "is between"
    IN_LAST = "in_last", "is in the last"
    MORE_THAN_AGO = "more_than_ago", "is longer ago than"
    TODAY = "today", "is today"
    IS_EMPTY = "is_empty", "is empty"
    IS_NOT_EMPTY = "is_not_empty", "is not empty"
    YES = "yes", "is yes"
    NO = "no", "is no"

    @property
    def positive(self) -> Qualifier:
        """What it is the complement of; itself where it is none."""
        return POSITIVES.get(self, self)

    @property
    def shape(self) -> Shape:
        return next((each for each, of in _SHAPES.items() if self in of), Shape.ONE)


class Shape(enum.Enum):
    """What stands behind a qualifier."""

    NOTHING = "nothing"
    ONE = "one"
    SEVERAL = "several"
    TWO = "two"
    SPAN = "span"  # Such as "7 days" or "12 hours".


_SHAPES = {
    Shape.NOTHING: (
        *(Qualifier.IS_EMPTY, Qualifier.IS_NOT_EMPTY, Qualifier.TODAY),
        *(Qualifier.YES, Qualifier.NO),
    ),
    Shape.SEVERAL: (Qualifier.IS_ONE_OF,),
    Shape.TWO: (Qualifier.BETWEEN,),
    Shape.SPAN: (Qualifier.IN_LAST, Qualifier.MORE_THAN_AGO),
}
# A negative selects exactly the rows that its positive does not.
POSITIVES = {
    Qualifier.IS_NOT: Qualifier.IS,
    Qualifier.DOES_NOT_CONTAIN: Qualifier.CONTAINS,
    Qualifier.IS_NOT_EMPTY: Qualifier.IS_EMPTY,
    Qualifier.NO: Qualifier.YES,
}


def truth_of(condition: Q) -> Case:
    """Whether a row meets it: true or false, where SQL would say unknown as well."""
    return Case(
        When(condition, then=Value(True)),
        default=Value(False),
        output_field=BooleanField(),
    )


def complement(condition: Q) -> Q:
    """All rows that do not meet it, also those of which SQL does not know."""
    return Q(
        Case(
            When(condition, then=Value(False)),
            default=Value(True),
            output_field=BooleanField(),
        )
    )
