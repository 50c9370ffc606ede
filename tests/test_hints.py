"""What hints promise: the commands they name are objects, exist, and have the options they are named with."""

from __future__ import annotations

import ast
import copy
import pickle
from collections.abc import Iterator
from pathlib import Path

import pytest

import sparkify
from sparkify.cli.app import sparkify as root
from sparkify.cli.typed import find_command, typed
from sparkify.errors import Command, Hint, SparkifyError

SOURCE = Path(sparkify.__file__).parent
# errors.py is where the words of a command become a text.
MODULES = sorted(path for path in SOURCE.rglob("*.py") if path.name != "errors.py")
NODES = {path: list(ast.walk(ast.parse(path.read_text(encoding="utf-8")))) for path in MODULES}


def calls(name: str) -> Iterator[tuple[str, ast.Call]]:
    """Yield every call of that name in the package, and where it is."""
    for path, nodes in NODES.items():
        for node in nodes:
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name:
                yield f"{path.relative_to(SOURCE)}:{node.lineno}", node


# Those that are made of another command are not written down word by word.
COMMANDS = [(where, call) for where, call in calls("Command") if not isinstance(call.args[0], ast.Starred)]
HINTS = list(calls("Hint"))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_no_text_names_a_command_but_a_hint(path: Path):
    """In a plain text the options that name the warehouse could not be added to it."""
    nodes = NODES[path]
    docstrings = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    wrong = [
        node.lineno
        for node in nodes
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and id(node) not in docstrings
        and "`sparkify " in node.value
    ]
    # A hint put into another text would be a plain text.
    wrong += [
        node.lineno
        for text in nodes
        if isinstance(text, ast.JoinedStr)
        for node in ast.walk(text)
        if isinstance(node, ast.Attribute) and node.attr in ("hint", "remedy")
    ]
    assert not wrong


@pytest.mark.parametrize("call", [call for _, call in COMMANDS], ids=[where for where, _ in COMMANDS])
def test_a_hint_names_a_command_that_exists_with_its_options(call: ast.Call):
    words = [word.value if isinstance(word, ast.Constant) else "VALUE" for word in call.args]
    command = find_command(Command(*map(str, words)), root)
    options = {name for parameter in command.params for name in parameter.opts}
    assert {word for word in map(str, words) if word.startswith("-")} <= options
    assert not hasattr(command, "commands"), "a group is no command to type"


@pytest.mark.parametrize("call", [call for _, call in HINTS], ids=[where for where, _ in HINTS])
def test_a_hint_has_a_place_for_each_of_its_parts(call: ast.Call):
    template, *parts = call.args
    assert isinstance(template, ast.Constant)
    assert str(template.value).count("{") == len(parts)


def test_there_are_hints():
    assert len(COMMANDS) > 40
    assert len(HINTS) > 40


HINT = Hint("Of {}: {}, or {}.", "a {brace}", Command("rejects", "list"), Hint("{}", Command("init")))


def test_a_hint_is_a_readable_text():
    assert HINT == "Of a {brace}: `sparkify rejects list`, or `sparkify init`."
    assert f"{SparkifyError('what', HINT).hint}" == HINT


@pytest.mark.parametrize("again", [copy.deepcopy, lambda hint: pickle.loads(pickle.dumps(hint))])
def test_a_copy_of_a_hint_names_the_same_commands(again):
    def show(command: Command) -> str:
        return "-".join(command.words)

    assert again(HINT) == HINT
    assert again(HINT).rendered(show) == "Of a {brace}: rejects-list, or init."


def test_a_command_gets_the_places_it_has_options_for():
    places = {"config": "my own.cfg", "database": "w.duckdb"}
    assert typed(HINT, root, places) == (
        "Of a {brace}: `sparkify rejects list --config 'my own.cfg' --database w.duckdb`, or `sparkify init`."
    )
    named = Hint("{}", Command("etl", "--config", "b.cfg"))
    assert typed(named, root, places) == "`sparkify etl --config b.cfg --database w.duckdb`"
    assert typed("`sparkify etl`", root, places) == "`sparkify etl`"
