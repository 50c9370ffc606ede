"""Skeletons, styles and scripts of the pages: files in ``report/assets``."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from importlib import resources

_PLACE = re.compile(r"\{\{(\w+)\}\}")


def fill(template: str, **values: str) -> str:
    """Return a template with its ``{{names}}`` replaced; the values are HTML already."""
    replace: Callable[[re.Match[str]], str] = lambda found: values[found[1]]  # noqa: E731
    return _PLACE.sub(replace, asset(template))


@cache
def asset(name: str) -> str:
    """Return the text of a file in ``report/assets``."""
    return resources.files("sparkify.report").joinpath("assets", name).read_text(encoding="utf-8").strip()
