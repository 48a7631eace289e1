from .macros import Macro
from .secrets import Secret, Vault
from .steps import Step, kind_accessors, kind_named, step_kinds
from .versions import MacroVersion

__all__ = [
    "Macro",
    "MacroVersion",
    "Secret",
    "Step",
    "Vault",
    "kind_accessors",
    "kind_named",
    "step_kinds",
]
