"""What the architecture promises: imports run one way, and each heavy library has one user."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import sparkify

SOURCE = Path(sparkify.__file__).parent

# Layer → the layers it may import from, besides itself.
_GROUND = {"errors", "text", "filelocks", "tempfiles", "records", "settings", "lake", "warehouse"}
MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    "text": set(),
    "filelocks": set(),
    "tempfiles": {"errors", "filelocks"},
    "records": set(),
    "settings": {"errors", "records"},
    "sql": set(),
    "lake": {"settings", "errors", "text", "tempfiles"},
    "warehouse": {"lake", "settings", "records", "errors", "sql", "text", "filelocks", "tempfiles"},
    "intake": {"lake", "records", "errors", "text"},
    "custom": {"warehouse", "errors", "tempfiles", "text"},
    "pipeline": {"intake", "custom", *_GROUND},
    "cluster": _GROUND,
    "report": {"warehouse", "records", "errors", "text"},
    "doctor": {"pipeline", "custom", "cluster", "intake", *_GROUND},
    "simulator": _GROUND,
    "proof": {"simulator", "report", "pipeline", *_GROUND},
    "cli": {"doctor", "proof", "report", "pipeline", "custom", "intake", "cluster", "simulator", *_GROUND},
    "__main__": {"cli"},
    "api": {"cli", "warehouse", "settings", "errors", "tempfiles"},
    "__init__": {"api"},
}

# What a module may import besides: it packs what the careful reader would make of a record.
ALSO = {"warehouse/redshift/packing.py": {"intake"}}

# Library → the only modules that may import it.
USERS = {
    "sqlglot": (
        "warehouse/duckdb/dialect.py",
        "warehouse/column_names.py",
        "custom/parsed.py",
        "report/lineage.py",
    ),
    "duckdb": ("warehouse/duckdb/",),
    "redshift_connector": ("warehouse/redshift/driver.py",),
    # The settings ask it for credentials: it knows profiles, roles and SSO. The bucket asks it for keys that
    # obstore does not know. The Data API is given a client, and knows its errors.
    "boto3": ("cluster/", "settings/resolution.py"),
    "botocore": (
        "cluster/",
        "settings/resolution.py",
        "lake/bucket.py",
        "warehouse/redshift/data_api.py",
    ),
    "obstore": ("lake/bucket.py", "lake/bucket_writer.py", "lake/s3_errors.py"),
    "zstandard": ("lake/codec.py", "simulator/day_file.py"),
    "re2": ("intake/glance.py",),
    "xxhash": ("intake/content.py",),
    "rich": ("cli/screen.py",),
    "pyarrow": ("api.py",),
    "pandas": ("api.py",),
    "polars": ("api.py",),
    "click": ("cli/",),
    "numpy": ("simulator/", "intake/glance.py", "intake/marks.py"),
}

MODULES = sorted(path.relative_to(SOURCE).as_posix() for path in SOURCE.rglob("*.py"))


def imports(module: str) -> Iterator[str]:
    """Yield the dotted names a module imports, wherever in it; ``if TYPE_CHECKING`` ones too."""
    for node in ast.walk(ast.parse((SOURCE / module).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports relatively"
            for alias in node.names:
                yield f"{node.module}.{alias.name}"


def layer(dotted: str) -> str:
    """Return the layer of a name below sparkify; what the package itself defines is ``__init__``."""
    name = dotted.split(".")[1]
    return name if name in MAY_IMPORT else "__init__"


@pytest.mark.parametrize("module", MODULES)
def test_imports_run_one_way(module: str) -> None:
    own = module.split("/", maxsplit=1)[0].removesuffix(".py")
    allowed = MAY_IMPORT[own] | {own, "__init__"} | ALSO.get(module, set())
    wrong = [name for name in imports(module) if name.startswith("sparkify.") and layer(name) not in allowed]
    assert not wrong, f"{module} may import from {sorted(allowed)}"


@pytest.mark.parametrize("module", MODULES)
def test_each_heavy_library_has_one_user(module: str) -> None:
    wrong = [
        name
        for name in imports(module)
        if name.split(".")[0] in USERS and not module.startswith(USERS[name.split(".")[0]])
    ]
    assert not wrong, f"{module} may not import these"


@pytest.mark.parametrize("module", [name for name in MODULES if not name.startswith("cli/")])
def test_only_the_command_line_prints(module: str) -> None:
    tree = ast.parse((SOURCE / module).read_text(encoding="utf-8"))
    calls = [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in ("print", "input")
    ]
    streams = [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and node.attr in ("stdout", "stderr")
        and ast.unparse(node).startswith("sys.")
    ]
    assert not calls + streams


def test_a_name_of_a_class_or_a_module_means_one_thing() -> None:
    """Wherever it is imported; a command's module may be named after what it calls."""
    found: dict[str, list[str]] = {}
    for name in MODULES:
        for node in ast.parse((SOURCE / name).read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                found.setdefault(node.name, []).append(name)
    modules: dict[str, list[str]] = {}
    for name in MODULES:
        if not name.startswith("cli/") and not name.endswith("__init__.py"):
            modules.setdefault(name.rpartition("/")[2], []).append(name)
    assert {name: where for name, where in {**found, **modules}.items() if len(where) > 1} == {}


def test_every_module_says_what_it_is_for() -> None:
    silent = [
        name
        for name in MODULES
        if not ast.get_docstring(ast.parse((SOURCE / name).read_text(encoding="utf-8")))
    ]
    assert not silent


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], ["etl", "--help"], ["query", "--help"], ["report", "--help"]]
)
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    heavy = [
        "duckdb",
        "sqlglot",
        "numpy",
        "boto3",
        "botocore",
        "rich",
        "obstore",
        "zstandard",
        "redshift_connector",
    ]
    code = (
        "import sys; from sparkify.cli.app import run; "
        f"code = run({arguments!r}); "
        f"sys.exit(code or ','.join(name for name in {heavy!r} if name in sys.modules) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout
