"""Whatever `etl` loads doctor does not fail, and what doctor passes `etl` does not refuse.

Both are the real commands, on many configurations: every change of a good one alone, and changes together.
Doctor goes first, and leaves every file, bucket and database as it was.
"""

from __future__ import annotations

import hashlib
import io
import itertools
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from sparkify.cli.app import run
from sparkify.errors import CHECKS_FAILED, FAILED, OK
from sparkify.records import EVENTS
from tests.conftest import S3Server
from tests.records import TS, play, song, write_records
from tests.tiers import by_profile
from tests.warehouses import OnRedshift, Warehouses

BUCKET = "my_Bucket"  # a name that AWS would not make, and other servers do
GOOD: dict[str, str] = {
    "database": "new",
    "logs": "local",
    "songs": "local",
    "jsonpaths": "unset",
    "staging": "set",
    "credentials": "given",
}
SOURCES = [
    "local", "home", "file", "s3", "s3 file", "unset", "missing", "empty folder", "no data", "empty file",
    "same", "below", "link to nothing", "s3 missing bucket", "s3 missing prefix", "s3 no data",
    "s3 no bucket", "s3 empty part", "s3 same",
    "unreadable", "closed folder", "a prefix of a name", "no user's home",
]  # fmt: skip
CHOICES: dict[str, list[str]] = {
    "database": [
        "new", "home", "there", "link", "missing folder", "not writable", "folder", "empty file", "text",
        "damaged", "read-only", "memory", "question mark",
        "link to nothing", "long name", "json", "a file as folder",
    ],
    "logs": SOURCES,
    "songs": SOURCES,
    "jsonpaths": ["unset", "good", "one path", "no JSON", "missing", "local", "bucket", "no bucket"],
    "staging": ["set", "unset", "below the logs", "local", "missing bucket", "no bucket", "bucket"],
    "credentials": ["given", "environment", "half", "absent", "wrong", "no profile", "server down"],
}  # fmt: skip


@dataclass(frozen=True)
class Ground:
    """What the configurations lead to: a folder and an S3 server with files in them."""

    here: Path
    s3: S3Server
    warehouses: Warehouses


@pytest.fixture(scope="module")
def ground(
    warehouses: Warehouses, s3: S3Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Ground]:
    here = tmp_path_factory.mktemp("agree")
    bucket = s3.root / BUCKET
    for root in (here / "home", here / "lake", bucket):
        write_records(root / "logs" / "a.json", play(), play(ts=TS + 5))
        write_records(root / "songs" / "a.json", song())
    for root in (here / "lake", bucket):
        (root / "other").mkdir()
        (root / "other" / "readme.txt").write_text("nothing")
    (here / "lake" / "empty").mkdir()
    (here / "lake" / "empty.json").touch()
    (here / "lake" / "to_nothing").mkdir()
    (here / "lake" / "to_nothing" / "a.json").symlink_to("nowhere")
    for name in ("unreadable", "closed"):
        write_records(here / "lake" / name / "a.json", play())
    (here / "lake" / "unreadable" / "a.json").chmod(0)  # root may read it all the same
    paths = {"jsonpaths": [f"$['{key}']" for key in EVENTS.keys]}
    (bucket / "good.json").write_text(json.dumps(paths))
    (bucket / "one.json").write_text('{"jsonpaths": ["$.ts"]}')
    (bucket / "bad.json").write_text("no JSON")
    (bucket / "staging").mkdir()
    assert command(["create-tables", "--config", os.devnull, "--database", str(here / "there")])[0] == OK
    with pytest.MonkeyPatch.context() as patch:
        for name in [each for each in os.environ if each.startswith(("AWS_", "SPARKIFY_"))]:
            patch.delenv(name)
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        patch.setenv("AWS_CONFIG_FILE", os.devnull)
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
        patch.setenv("HOME", str(here / "home"))
        (here / "lake" / "closed").chmod(0)
        yield Ground(here, s3, warehouses)
        (here / "lake" / "closed").chmod(0o700)
    shutil.rmtree(bucket)


def command(arguments: list[str]) -> tuple[int, str]:
    """Return the exit code of a command, and all it said."""
    said = io.StringIO()
    with redirect_stdout(said), redirect_stderr(said):
        code = run(arguments)
    return code, said.getvalue()


def source(ground: Ground, choice: str, name: str) -> str:
    """Return LOG_DATA or SONG_DATA; ``name`` is logs or songs."""
    lake = ground.here / "lake"
    return {
        "local": f"{lake}/{name}",
        "home": f"~/{name}",
        "file": f"{lake}/{name}/a.json",
        "s3": f"s3://{BUCKET}/{name}",
        "s3 file": f"s3://{BUCKET}/{name}/a.json",
        "unset": "",
        "missing": f"{lake}/nowhere",
        "empty folder": f"{lake}/empty",
        "no data": f"{lake}/other",
        "empty file": f"{lake}/empty.json",
        "same": f"{lake}/logs",
        "below": str(lake),
        "link to nothing": f"{lake}/to_nothing",
        "s3 missing bucket": "s3://nowhere/logs",
        "s3 missing prefix": f"s3://{BUCKET}/nowhere",
        "s3 no data": f"s3://{BUCKET}/other",
        "s3 no bucket": "s3:///logs",
        "s3 same": f"s3://{BUCKET}/logs",
        "unreadable": f"{lake}/unreadable",
        "closed folder": f"{lake}/closed",
        "s3 empty part": f"s3://{BUCKET}/logs//x",
        "a prefix of a name": f"s3://{BUCKET}/log",
        "no user's home": f"~nobody-of-this-name/{name}",
    }[choice]


def database(ground: Ground, choice: str, folder: Path) -> str:
    """Return DATABASE, a file below ``folder`` where it is there."""
    path = folder / "w.duckdb"
    if choice in ("there", "link", "damaged", "read-only"):
        shutil.copy(ground.here / "there", path)
    if choice == "read-only":
        path.chmod(0o400)  # root may write it all the same
    if choice == "damaged":
        with path.open("r+b") as file:  # the version of the storage, under a checksum
            file.seek(12)
            file.write((1_000_000).to_bytes(8, "little"))
    if choice == "link":
        (folder / "link").symlink_to(path)
    if choice == "link to nothing":
        (folder / "link").symlink_to("nowhere")
    if choice == "folder":
        path.mkdir()
    if choice in ("empty file", "text", "a file as folder"):
        path.write_text("" if choice == "empty file" else "no database" * 1000)
    return {
        "home": f"~/{folder.name}.duckdb",
        "link": f"{folder}/link",
        "link to nothing": f"{folder}/link",
        "missing folder": f"{folder}/no/w.duckdb",
        "not writable": "/proc/w.duckdb",  # for root, too
        "memory": ":memory:",
        "question mark": f"{folder}/a?b/w.duckdb",
        "long name": f"{folder}/{'x' * 250}",
        "json": f"{folder}/w.json",
        "a file as folder": f"{path}/w.duckdb",
    }.get(choice, str(path))


def jsonpaths(ground: Ground, choice: str) -> str:
    return {
        "unset": "",
        "good": f"s3://{BUCKET}/good.json",
        "one path": f"s3://{BUCKET}/one.json",
        "no JSON": f"s3://{BUCKET}/bad.json",
        "missing": f"s3://{BUCKET}/nowhere.json",
        "local": f"{ground.here}/lake/logs/a.json",
        "bucket": f"s3://{BUCKET}",
        "no bucket": "s3:///x",
    }[choice]


def staging(ground: Ground, choice: str) -> str:
    return {
        "set": f"s3://{BUCKET}/staging",
        "unset": "",
        "below the logs": f"s3://{BUCKET}/logs/staging",
        "local": f"{ground.here}/lake",
        "missing bucket": "s3://nowhere/staging",
        "no bucket": "s3:///",
        "bucket": f"s3://{BUCKET}",
    }[choice]


@contextmanager
def credentials(ground: Ground, choice: str) -> Iterator[str]:
    """Yield section [AWS], with what the environment adds to it."""
    s3 = ground.s3
    lines = {
        "given": f"KEY = {s3.key}\nSECRET = {s3.secret}\n",
        "server down": f"KEY = {s3.key}\nSECRET = {s3.secret}\n",
        "half": f"KEY = {s3.key}\n",
        "wrong": f"KEY = {s3.key}\nSECRET = other\n",
        "no profile": "PROFILE = nobody\n",
    }.get(choice, "")
    with pytest.MonkeyPatch.context() as patch:
        if choice == "environment":
            patch.setenv("SPARKIFY_AWS_KEY", s3.key)
            patch.setenv("SPARKIFY_AWS_SECRET", s3.secret)
        endpoint = "http://127.0.0.1:9" if choice == "server down" else s3.endpoint
        yield f"[AWS]\nENDPOINT_URL = {endpoint}\n{lines}"


@contextmanager
def configured(ground: Ground, engine: str, choices: Mapping[str, str]) -> Iterator[Path]:
    """Yield a dwh.cfg of these choices."""
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory(dir=ground.here)))
        text = opened.enter_context(credentials(ground, choices["credentials"]))
        if engine == "redshift":
            place = opened.enter_context(ground.warehouses.temporary("redshift", folder))
            assert isinstance(place, OnRedshift)
            kept = place.config.read_text()
            text += kept[kept.index("[CLUSTER]") : kept.index("[S3]")]
        else:
            text += f"[DWH]\nENGINE = duckdb\nDATABASE = {database(ground, choices['database'], folder)}\n"
            opened.callback((ground.here / "home" / f"{folder.name}.duckdb").unlink, missing_ok=True)
        config = folder / "dwh.cfg"
        config.write_text(
            f"{text}[S3]\nLOG_DATA = {source(ground, choices['logs'], 'logs')}\n"
            f"SONG_DATA = {source(ground, choices['songs'], 'songs')}\n"
            f"LOG_JSONPATH = {jsonpaths(ground, choices['jsonpaths'])}\n"
            f"STAGING = {staging(ground, choices['staging'])}\n"
        )
        config.chmod(0o600)
        yield config


def contents(*roots: Path) -> dict[str, str]:
    """Return every file below folders, and what is in it: the S3 server drops folders that are empty."""
    found = {}
    for path in itertools.chain.from_iterable(root.rglob("*") for root in roots):
        if path.is_symlink():
            found[str(path)] = str(path.readlink())
        elif path.is_file() and os.access(path, os.R_OK):
            found[str(path)] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def compare(ground: Ground, engine: str, changes: dict[str, str]) -> None:
    """Run doctor and `etl` on a good configuration with these changes."""
    choices = {**GOOD, **changes}
    with configured(ground, engine, choices) as config:
        before = contents(ground.here, ground.s3.root)
        verdict, told = command(["doctor", "--config", str(config), "--wait", "0", "--json"])
        assert contents(ground.here, ground.s3.root) == before, "doctor left something behind"
        loaded, said = command(["etl", "--config", str(config), "--wait", "0"])
        shown = f"{engine} {dict(choices)}\ndoctor, exit {verdict}: {told}\netl, exit {loaded}: {said}"
        assert "mistake of ours" not in told + said, shown
        assert verdict in (OK, FAILED), shown
        assert not (loaded == OK and verdict != OK), f"etl loads what doctor fails: {shown}"
        # What the records are worth (exit 3), only reading them can tell.
        assert not (verdict == OK and loaded not in (OK, CHECKS_FAILED)), (
            f"doctor passes what etl refuses: {shown}"
        )


def used(engine: str) -> list[str]:
    """Return what there is to choose on an engine; DuckDB has no use for two keys, which is tried, too."""
    return [key for key in CHOICES if key != "database" or engine == "duckdb"]


@pytest.mark.parametrize(
    ("engine", "key", "choice"),
    [
        (engine, key, choice)
        for engine in ("duckdb", "redshift")
        for key in used(engine)
        for choice in CHOICES[key]
    ],
)
def test_they_agree_on_every_change_of_a_good_configuration(
    ground: Ground, engine: str, key: str, choice: str
):
    compare(ground, engine, {key: choice})


@pytest.mark.parametrize("engine", ["duckdb", "redshift"])
def test_the_good_configuration_is_good(ground: Ground, engine: str):
    """Or all the others would agree on nothing but their failure."""
    with configured(ground, engine, GOOD | {"database": "home", "logs": "home", "songs": "s3"}) as config:
        assert command(["doctor", "--config", str(config)])[0] == OK
        assert command(["etl", "--config", str(config)])[0] == OK
        assert command(["doctor", "--config", str(config)])[0] == OK


def several(engine: str) -> st.SearchStrategy[dict[str, str]]:
    """A few changes at once: with many, both would fail at the first."""
    one = st.sampled_from(used(engine)).flatmap(
        lambda key: st.sampled_from(CHOICES[key]).map(lambda choice: (key, choice))
    )
    return st.lists(one, min_size=2, max_size=3, unique_by=lambda each: each[0]).map(dict)


MANY: Callable[..., settings] = lambda examples: settings(  # noqa: E731
    max_examples=examples,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


@MANY(by_profile(25, 60, 60))
@given(several("duckdb"))
@example({"logs": "s3", "songs": "unset", "credentials": "absent"})
@example({"logs": "unset", "songs": "unset"})
@example({"logs": "s3", "credentials": "server down"})
@example({"logs": "s3", "songs": "s3", "credentials": "environment"})
def test_they_agree_on_changes_together_on_duckdb(ground: Ground, changes: dict[str, str]):
    compare(ground, "duckdb", changes)


@MANY(30)
@given(several("redshift"))
@example({"staging": "unset", "credentials": "absent"})
@example({"logs": "s3", "songs": "s3", "staging": "unset", "jsonpaths": "good"})
@example({"logs": "s3", "songs": "s3", "staging": "unset"})
@example({"logs": "unset", "jsonpaths": "one path"})
@example({"logs": "unset", "staging": "unset", "credentials": "absent"})
@example({"logs": "s3", "staging": "below the logs"})
def test_they_agree_on_changes_together_on_redshift(ground: Ground, changes: dict[str, str]):
    compare(ground, "redshift", changes)
