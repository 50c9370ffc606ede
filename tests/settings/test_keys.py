"""What the configuration promises: the mission's file as it is, one order of places, errors that name it."""

from __future__ import annotations

import dataclasses
import logging
import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from sparkify.cli.app import sparkify
from sparkify.errors import USAGE, ConfigError
from sparkify.settings import KEYS, Key, Secret, Settings, load_settings, template

CANARY = "canary-0123456789"

# The file of the exercise, as people have filled it in.
MISSION = """\
[AWS]
KEY=
SECRET=

[DWH]
DWH_CLUSTER_TYPE       = multi-node
DWH_NUM_NODES          = 4
DWH_NODE_TYPE          = dc2.large
DWH_IAM_ROLE_NAME      = dwhRole
DWH_CLUSTER_IDENTIFIER = dwhCluster

[CLUSTER]
HOST=''
DB_NAME='dwh'
DB_USER='dwhuser'
DB_PASSWORD='Passw0rd'
DB_PORT=5439

[IAM_ROLE]
ARN=''

[S3]
LOG_DATA='s3://udacity-dend/log_data'
LOG_JSONPATH='s3://udacity-dend/log_json_path.json'
SONG_DATA='s3://udacity-dend/song_data'
"""

Write = Callable[[str | bytes], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def config(contents: str | bytes) -> Path:
        path = tmp_path / "dwh.cfg"
        path.write_bytes(contents.encode() if isinstance(contents, str) else contents)
        return path

    return config


def test_the_missions_file_loads_as_it_is(write: Write) -> None:
    path = write(MISSION)
    settings = load_settings(path)
    assert settings.s3.data["log_data"] == "s3://udacity-dend/log_data"
    assert settings.s3.log_jsonpath == "s3://udacity-dend/log_json_path.json"
    assert settings.s3.data["song_data"] == "s3://udacity-dend/song_data"
    assert (settings.cluster.db_name, settings.cluster.db_user) == ("dwh", "dwhuser")
    assert (str(settings.cluster.db_password), settings.cluster.db_port) == ("Passw0rd", 5439)
    assert (settings.dwh.dwh_num_nodes, settings.dwh.dwh_node_type) == (4, "dc2.large")
    assert (settings.cluster.host, settings.iam_role.arn) == ("", "")
    assert settings.dwh.engine == "duckdb"
    assert settings.path == path


def test_the_engine_follows_the_host_unless_it_is_named(write: Write) -> None:
    cluster = MISSION.replace("HOST=''", "HOST='dwh.abc.us-west-2.redshift.amazonaws.com'")
    assert load_settings(write(cluster)).dwh.engine == "redshift"
    assert load_settings(write(cluster), flags={"DWH.ENGINE": "duckdb"}).dwh.engine == "duckdb"
    assert load_settings(write(cluster), {"SPARKIFY_CLUSTER_HOST": "''"}).dwh.engine == "duckdb"
    assert load_settings(write(MISSION), flags={"DWH.ENGINE": "redshift"}).dwh.engine == "redshift"


def test_without_a_file_there_are_defaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = load_settings()
    assert settings.path is None
    assert (settings.dwh.engine, settings.dwh.database) == ("duckdb", "sparkify.duckdb")


def test_the_file_in_the_working_directory_is_read(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(MISSION)
    monkeypatch.chdir(path.parent)
    assert load_settings().s3.data["log_data"] == "s3://udacity-dend/log_data"


def value_of(settings: Settings, key: Key) -> Any:
    if key.section == "S3":
        return settings.s3.value(key.name)
    return getattr(getattr(settings, key.section.lower()), key.name.lower())


_VALUES: dict[str, st.SearchStrategy[str]] = {
    "MODELS": st.sampled_from(["", "/models"]),
    "MEMORY": st.sampled_from(["300MB", "2GB", "1.5 GiB", "4g"]),
    "REGION": st.sampled_from(["us-west-2", "cn-north-1"]),
    "DB_PORT": st.integers(1, 65535).map(str),
    "DWH_NUM_NODES": st.integers(1, 100).map(str),
    "ENGINE": st.sampled_from(["duckdb", "redshift", "DuckDB"]),
    "RETAIN": st.sampled_from(["400d", "30 D"]),
    "TRANSPORT": st.sampled_from(["driver", "data-api"]),
    "DWH_CLUSTER_TYPE": st.sampled_from(["single-node", "multi-node"]),
    "ENDPOINT_URL": st.sampled_from(["https://s3.example.com", "http://127.0.0.1:9000", "https://h:1/base"]),
}
# No quote marks: those around a value are taken off, a promise of its own below. Nor a comment behind it.
_TEXTS = (
    st.text("abcXYZ019 %;#=:/[]$\\é", min_size=1, max_size=12)
    .map(str.strip)
    .filter(lambda text: text and "://" not in text and not re.search(r"\s[#;]", text))
)


def valid(key: Key) -> st.SearchStrategy[str]:
    """Give values a key takes, written as in a file."""
    return _VALUES.get(key.name, _TEXTS)


@st.composite
def places(draw: st.DrawFn) -> tuple[Key, str | None, str | None, str | None]:
    key = draw(st.sampled_from(KEYS))
    maybe = st.none() | valid(key)
    return key, draw(maybe), draw(maybe), draw(maybe)


@hypothesis.settings(deadline=None)
@given(places())
def test_flags_win_over_the_environment_over_the_file_over_defaults(
    tmp_path_factory: pytest.TempPathFactory, drawn: tuple[Key, str | None, str | None, str | None]
) -> None:
    key, in_file, in_environment, in_flags = drawn
    path = tmp_path_factory.getbasetemp() / "precedence.cfg"
    path.write_text(f"[{key.section}]\n" + (f"{key.name} = {in_file}\n" if in_file else ""), encoding="utf-8")
    environment = {key.variable: in_environment} if in_environment else {}
    settings = load_settings(path, environment, {f"{key.section}.{key.name}": in_flags})
    expected = in_flags or in_environment or in_file or key.default
    default = load_settings(path=write_empty(path.parent))
    if key.is_path and not (in_flags or in_environment) and expected:
        assert Path(value_of(settings, key)) == path.parent / expected
    else:
        assert value_of(settings, key) == (key.parse(expected) if expected else value_of(default, key))
    for other in KEYS:
        if other is not key and other.name != "ENGINE":  # the engine follows the host
            assert value_of(settings, other) == value_of(default, other)


def write_empty(folder: Path) -> Path:
    path = folder / "empty.cfg"
    path.write_text("")
    return path


@hypothesis.settings(deadline=None)
@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp", "Zs"]), min_size=1))
def test_a_password_of_any_characters_survives_in_quotes(
    tmp_path_factory: pytest.TempPathFactory, password: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "password.cfg"
    for quote in "'\"":
        path.write_text(f"[CLUSTER]\nDB_PASSWORD = {quote}{password}{quote}\n", encoding="utf-8")
        assert str(load_settings(path).cluster.db_password) == password


@pytest.mark.parametrize(
    "password", ["100%", "%(x)s", "a;b", "a #b", "a'b", 'a"b', "'", "it's", "x=y:z", "[a]", "$HOME", "\\n"]
)
def test_a_password_with_marks_of_the_format_survives_without_quotes(write: Write, password: str) -> None:
    assert str(load_settings(write(f"[CLUSTER]\nDB_PASSWORD = {password}\n")).cluster.db_password) == password


def test_a_byte_order_mark_crlf_and_comments_do_no_harm(write: Write) -> None:
    contents = "# ours\r\n; theirs\r\n[S3]\r\nLOG_DATA = 's3://b/ü'\r\n"
    assert load_settings(write(b"\xef\xbb\xbf" + contents.encode())).s3.data["log_data"] == "s3://b/ü"


def test_sections_and_keys_in_small_letters_are_the_same(write: Write) -> None:
    assert load_settings(write("[s3]\nlog_data = s3://b/x\n")).s3.data["log_data"] == "s3://b/x"


@pytest.mark.parametrize(
    ("contents", "names"),
    [
        ("[S4]\nLOG = x\n", ["[S4]", "LOG", "line 2"]),
        ("[S3]\nLOGDATA = x\n", ["LOGDATA", "[S3]", "LOG_DATA"]),
        ("[CLUSTER]\nDB_PORT = many\n", ["[CLUSTER] DB_PORT", "'many'", "1 to 65535"]),
        ("[CLUSTER]\nDB_PORT = 70000\n", ["[CLUSTER] DB_PORT", "'70000'", "1 to 65535"]),
        ("[DWH]\nDWH_NUM_NODES = 0\n", ["[DWH] DWH_NUM_NODES", "'0'", "at least 1"]),
        ("[DWH]\nDWH_CLUSTER_TYPE = big\n", ["[DWH] DWH_CLUSTER_TYPE", "'big'", "multi-node"]),
        ("[DWH]\nENGINE = postgres\n", ["[DWH] ENGINE", "'postgres'", "duckdb or redshift"]),
        ("[S3]\nLOG_DATA = gs://b/x\n", ["[S3] LOG_DATA", "'gs://b/x'", "s3://"]),
        ("[S3]\nLOG_DATA = S3://b/x\n", ["[S3] LOG_DATA", "s3://"]),
        ("[AWS]\nENDPOINT_URL = localhost:9000\n", ["[AWS] ENDPOINT_URL", "'localhost:9000'", "a URL"]),
        ("[S3]\nLOG_DATA = 'lake/log'  # ours\n", ["[S3] LOG_DATA", "quotes", "line of its own"]),
        ('[S3]\nLOG_DATA = "lake/log\n', ["[S3] LOG_DATA", "quotes"]),
        ("[AWS]\nENDPOINT_URL = http://a b\n", ["[AWS] ENDPOINT_URL", "a URL"]),
        ("[AWS]\nREGION = us west\n", ["[AWS] REGION", "'us west'", "us-west-2"]),
        ("[DWH]\nMODELS = s3://b/models\n", ["[DWH] MODELS", "'s3://b/models'", "a local folder"]),
    ],
)
def test_what_is_wrong_in_the_file_is_named_with_its_place_and_what_was_expected(
    write: Write, contents: str, names: list[str]
) -> None:
    path = write(contents)
    with pytest.raises(ConfigError) as caught:
        load_settings(path)
    shown = f"{caught.value.message} {caught.value.hint}"
    assert caught.value.exit_code == USAGE
    for name in [str(path), *names]:
        assert name in shown


def test_the_places_tried_are_named_the_winner_last(write: Write) -> None:
    path = write("[CLUSTER]\nDB_PORT = 5439\n")
    with pytest.raises(ConfigError) as caught:
        load_settings(path, {"SPARKIFY_CLUSTER_DB_PORT": "x"})
    assert "$SPARKIFY_CLUSTER_DB_PORT" in caught.value.message
    assert f"default, {path}, $SPARKIFY_CLUSTER_DB_PORT" in caught.value.hint


def test_a_misspelt_variable_is_an_error_and_other_programs_are_left_alone() -> None:
    with pytest.raises(ConfigError, match="SPARKIFY_S3_LOGDATA"):
        load_settings(environment={"SPARKIFY_S3_LOGDATA": "x"})
    load_settings(environment={"SPARKIFY_TEST_DATA": "x", "S3_LOG_DATA": "x"})


@pytest.mark.parametrize("name", ["missing.cfg", "."])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_settings(tmp_path / name)
    assert str(tmp_path / name) in caught.value.message
    assert "sparkify init" in caught.value.hint


@pytest.mark.parametrize(
    ("contents", "line"),
    [
        (f"[CLUSTER]\n\n{CANARY}\n", 3),
        (f"DB_PASSWORD = {CANARY}\n", 1),
        (f"[CLUSTER]\nDB_PASSWORD = x\nDB_PASSWORD = {CANARY}\n", 3),
        (f"[CLUSTER]\nHOST = x\n[{CANARY}\n", 3),
        ("[CLUSTER]\nHOST = x\n[CLUSTER]\n", 3),
        (b"[CLUSTER]\nDB_PASSWORD = \xff" + CANARY.encode(), None),
    ],
)
def test_a_malformed_file_is_named_with_the_line_but_never_quoted(
    write: Write, contents: str | bytes, line: int | None, caplog: pytest.LogCaptureFixture
) -> None:
    path = write(contents)
    with caplog.at_level(logging.DEBUG), pytest.raises(ConfigError) as caught:
        load_settings(path)
    assert str(path) in caught.value.message
    assert line is None or f"line {line} " in caught.value.message
    assert caught.value.__context__ is None or caught.value.__suppress_context__
    # What a traceback would show, too: no cause, no context that is not suppressed.
    assert CANARY not in f"{caught.value!r} {caught.value.hint} {caught.value.__cause__!r} {caplog.text}"


def test_secrets_are_in_no_repr_of_anything(write: Write) -> None:
    path = write(f"[AWS]\nKEY = {CANARY}\nSECRET = {CANARY}\n[CLUSTER]\nDB_PASSWORD = {CANARY}\n")
    settings = load_settings(path)
    assert str(settings.aws.secret) == CANARY, "drivers need it"
    for shown in (
        repr(settings),
        str(settings),
        f"{settings.aws!r} {settings.cluster}",
        repr(dataclasses.asdict(settings)),
        repr([settings.aws.key]),
        repr(pickle.loads(pickle.dumps(settings.aws.secret))),
        f"{dataclasses.replace(settings.cluster, db_port=1)}",
    ):
        assert CANARY not in shown
    assert repr(Secret("")) == "''", "an empty one is told from a set one"


def test_an_error_about_another_key_does_not_show_the_secrets(write: Write) -> None:
    path = write(f"[CLUSTER]\nDB_PASSWORD = {CANARY}\nDB_PORT = x\n")
    with pytest.raises(ConfigError) as caught:
        load_settings(path, {"SPARKIFY_AWS_SECRET": CANARY})
    assert CANARY not in f"{caught.value!r} {caught.value.hint}"


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        load_settings().dwh.database = "other"  # type: ignore[misc]


def test_the_template_loads_to_the_defaults(write: Write) -> None:
    from_template = load_settings(write(template()))
    assert dataclasses.replace(from_template, path=None) == dataclasses.replace(
        load_settings(write("")), path=None
    )


def test_the_template_explains_every_key() -> None:
    lines = template().splitlines()
    for key in KEYS:
        at = lines.index(f"{key.name} = {key.default}".rstrip(), lines.index(f"[{key.section}]"))
        assert lines[at - 1] == f"# {key.doc}"


def test_init_writes_the_template_for_us_alone_and_never_over_a_file(tmp_path: Path) -> None:
    path = tmp_path / "dwh.cfg"
    assert CliRunner().invoke(sparkify, ["init", str(path)]).exit_code == 0
    assert path.read_text() == template()
    assert path.stat().st_mode & 0o077 == 0
    path.write_text("mine")
    assert isinstance(CliRunner().invoke(sparkify, ["init", str(path)]).exception, ConfigError)
    assert path.read_text() == "mine"
    path.chmod(0o644)
    assert CliRunner().invoke(sparkify, ["init", str(path), "--force"]).exit_code == 0
    assert path.read_text() == template()
    assert path.stat().st_mode & 0o077 == 0


PATHS = [f"{key.section}.{key.name}" for key in KEYS if key.is_path]
assert len(PATHS) == 5


def path_of(settings: Settings, name: str) -> str:
    section, _, key = name.partition(".")
    return settings.s3.value(key) if section == "S3" else str(getattr(settings.dwh, key.lower()))


@pytest.mark.parametrize("name", PATHS)
@pytest.mark.parametrize("value", ["a/b", "./a", "../a", "a b"])
def test_relative_paths_of_the_file_are_from_its_folder_those_of_others_from_the_current_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    home = tmp_path / "conf"
    home.mkdir()
    section, _, key = name.partition(".")
    (home / "dwh.cfg").write_text(f"[{section}]\n{key} = {value}\n")
    monkeypatch.chdir(tmp_path)
    for file in (home / "dwh.cfg", Path("conf/dwh.cfg")):
        assert Path(path_of(load_settings(file), name)).resolve() == (home / value).resolve()
        assert path_of(load_settings(file, {f"SPARKIFY_{section}_{key}": value}), name) == value
        assert path_of(load_settings(file, {}, {name: value}), name) == value
    monkeypatch.chdir(home)
    assert path_of(load_settings(), name) == value, "as people wrote it"


def test_the_default_database_lies_beside_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "dwh.cfg").write_text("[DWH]\nDATABASE =\n")
    monkeypatch.chdir(tmp_path)
    assert load_settings(Path("conf/dwh.cfg")).dwh.database == "conf/sparkify.duckdb"
    assert load_settings(Path("/dev/null")).dwh.database == "sparkify.duckdb", (
        "a device has no folder of ours"
    )


@pytest.mark.parametrize("name", PATHS)
def test_the_home_folder_is_expanded_everywhere(
    tmp_path: Path, write: Write, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Case tilde; what cannot be expanded is a name like any other."""
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    section, _, key = name.partition(".")
    path = write(f"[{section}]\n{key} = ~/x\n")
    for settings in (
        load_settings(path),
        load_settings(None, {f"SPARKIFY_{section}_{key}": "~/x"}),
        load_settings(None, {}, {name: "~/x"}),
    ):
        assert path_of(settings, name) == str(tmp_path / "me" / "x")
    assert path_of(load_settings(None, {}, {name: "~nosuchuser/x"}), name) == "~nosuchuser/x"


@pytest.mark.parametrize("uri", ["s3://bucket/a b", "s3://bucket"])
def test_a_uri_is_no_path(write: Write, uri: str) -> None:
    assert load_settings(write(f"[S3]\nLOG_DATA = {uri}\n")).s3.data["log_data"] == uri


def test_a_database_in_memory_stays_what_it_is(write: Write) -> None:
    """So that it is refused, and no file of that name made."""
    assert load_settings(write("[DWH]\nDATABASE = :memory:\n")).dwh.database == ":memory:"


@pytest.mark.parametrize("name", PATHS)
def test_a_locale_without_utf8_is_told_and_how_to_have_one(
    write: Write, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    section, _, key = name.partition(".")
    path = write(f"[{section}]\n{key} = jörg\n")
    monkeypatch.setattr("sys.getfilesystemencoding", lambda: "iso8859-1")
    with pytest.raises(ConfigError) as caught:
        load_settings(path)
    assert "iso8859-1" in caught.value.message
    assert "UTF-8" in caught.value.hint
    load_settings(write(f"[{section}]\n{key} = plain\n"))
