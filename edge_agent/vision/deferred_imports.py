"""Modules that a library imports but that we never use, loaded only if somebody does use them.

Rules: nothing of the library is changed. While the block runs, importing one of the named modules gives a stand-in; the
first attribute asked of it, then or ever, takes the stand-ins away and imports the real module, so a version of the
library that needs it at once still gets it. After the block nobody else meets a stand-in.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any


@contextmanager
def deferred_imports(*names: str) -> Iterator[None]:
    """Defer the import of these modules, given by their full names, parents before their children.

    Modules that are loaded already stay as they are. Belongs to one thread: whatever else the process imports inside
    the block meets the stand-ins too.
    """
    for name in names:
        if name not in sys.modules:
            stand_in = _Deferred(name)
            parent, _, child = name.rpartition(".")
            # `import parent.child as alias` takes the child from its parent.
            if isinstance(sys.modules.get(parent), _Deferred):
                setattr(sys.modules[parent], child, stand_in)
            sys.modules[name] = stand_in
    try:
        yield
    finally:
        _withdraw()


class _Deferred(ModuleType):
    """Stands for a module until an attribute of it is asked for."""

    def __init__(self, name: str) -> None:
        super().__init__(name, "stands for a module that is imported when it is used")
        self.__path__: list[str] = []  # a package, so that its children can be imported

    def __getattr__(self, attribute: str) -> Any:
        _withdraw()
        module = import_module(self.__name__)
        child = f"{self.__name__}.{attribute}"
        if not hasattr(module, attribute) and hasattr(module, "__path__") and find_spec(child) is not None:
            return import_module(child)  # as `from parent import child` would
        return getattr(module, attribute)


def _withdraw() -> None:
    for name in [name for name, module in sys.modules.items() if isinstance(module, _Deferred)]:
        del sys.modules[name]
