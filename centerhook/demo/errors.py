"""What ends the demo."""


class DemoError(Exception):
    """Why the demo can't go on, as a sentence."""
