"""Counts agree with their nouns, everywhere."""

from __future__ import annotations

import ast
import doctest
import re

import pytest

from sparkify import text as wording
from tests.test_architecture import MODULES, SOURCE


def test_the_examples_hold():
    assert doctest.testmod(wording).failed == 0
    assert doctest.testmod(wording).attempted > 0


@pytest.mark.parametrize("module", MODULES)
def test_no_count_stands_before_a_noun_of_its_own(module: str):
    """``{count:,} files`` says "1 files": :func:`sparkify.text.counted` does not."""
    wrong = []
    for node in ast.walk(ast.parse((SOURCE / module).read_text(encoding="utf-8"))):
        if not isinstance(node, ast.JoinedStr):
            continue
        for value, after in zip(node.values, node.values[1:], strict=False):
            if isinstance(value, ast.FormattedValue) and isinstance(after, ast.Constant):
                number = ast.unparse(value.format_spec) == "f','" if value.format_spec else False
                if number and re.match(r" (?!of )([\w-]+ )?\w+s\b", str(after.value)):
                    wrong.append(f"line {node.lineno}: {ast.unparse(node)}")
    assert not wrong
