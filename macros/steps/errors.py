from ..tags import RenderError


class TooLarge(RenderError):
    """What was rendered is beyond what may be sent or stored."""
