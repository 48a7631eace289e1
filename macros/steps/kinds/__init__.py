"""The kinds of steps, each whole in one module or package of this one.

All are imported when the app loads, which makes them known.
"""

from importlib import import_module
from pkgutil import iter_modules

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")
