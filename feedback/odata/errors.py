"""What is wrong with a request, by the option it is about."""

from __future__ import annotations


class OptionRefused(Exception):
    """The option is not understood: `sentence` says why, `option` which."""

    status = 400
    code = "invalid"

    def __init__(self, option: str, sentence: str) -> None:
        super().__init__(sentence)
        self.option = option
        self.sentence = sentence


class NotSupported(OptionRefused):
    """OData has it, and this service does not."""

    status = 501
    code = "not_supported"
