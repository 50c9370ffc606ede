"""A field is given a column: for all that was loaded and all that comes, the same as the oracle says."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from sparkify.cli.app import run
from sparkify.cli.screen import Screen
from sparkify.errors import FAILED, SparkifyError
from sparkify.intake.adopted import adopted_values
from sparkify.intake.extra import extra_of
from sparkify.intake.parse import parse
from sparkify.intake.rules import Refusal
from sparkify.pipeline import carefully
from sparkify.pipeline.adopting import _put_back, plan_adoption, plan_drop
from sparkify.pipeline.adopting import adopt as adopt_field
from sparkify.pipeline.adopting import drop as drop_field
from sparkify.records import EVENTS, Field
from sparkify.warehouse.duckdb.duckdb_engine import DuckDBEngine
from sparkify.warehouse.redshift import copying
from sparkify.warehouse.redshift.packing import pack_lines
from sparkify.warehouse.statements import Statement
from tests.contents import hash_tables
from tests.custom.folder import write_folder
from tests.intake.test_extra import event_lines
from tests.landing import Lander, read
from tests.loading import etl
from tests.oracle import Record, adopt
from tests.records import TS, play, write_records
from tests.tiers import by_profile, sweep
from tests.warehouses import ENGINES, OnRedshift, Place, Warehouses, execute, open_place, options_of, rows

IDENTITY = ("user_id", "session_id", "item_in_session", "ts")
KEYS = ("userId", "sessionId", "itemInSession", "ts")


class Wanted(NamedTuple):
    """A field to adopt."""

    name: str
    type: str
    column: str

    @property
    def options(self) -> list[str]:
        return [self.name, "--type", self.type, "--as", self.column, "--kind", "events"]


def staged(place: Place, adopted: Sequence[Wanted]) -> Counter[tuple[Any, ...]]:
    """Return what staging has of each event: identity, adopted columns, and ``extra`` as JSON says it."""
    columns = ", ".join([*IDENTITY, *(each.column for each in adopted), "extra"])
    found = rows(place, f"SELECT {columns} FROM staging_events")
    return Counter((*row, _canonical(extra)) for *row, extra in found)


def expected(records: Sequence[Record], adopted: Sequence[Wanted]) -> Counter[tuple[Any, ...]]:
    """Return the same of the oracle."""
    known = set(play())
    found = []
    for record in records:
        others = {key: value for key, value in record.items() if key not in known and value is not None}
        columns = []
        for each in adopted:
            value, whole = adopt(record, each.name, each.type)
            columns.append(value)
            if whole:
                others.pop(each.name)
        identity = (record[key] for key in KEYS)
        found.append((*identity, *columns, _canonical(json.dumps(others) if others else None)))
    return Counter(found)


def _canonical(text: str | None) -> str | None:
    """Return JSON without the order of members, which says nothing; 12.0 is not 12, nor -0.0 0.0."""
    return None if text is None else json.dumps(json.loads(text), sort_keys=True)


# Numbers that a column may hold in another form.
EXOTIC = [1.0, -0.0, 1e3, 1e16, 100000.0, 2**53 + 1, 10**20]
OTHERS = st.fixed_dictionaries(
    {},
    optional={
        "deviceType": st.sampled_from(["phone", "né", "a much longer name", "", 7, 2.5, True, None, ["x"]]),
        "score": st.sampled_from([12, 12.5, 0.1, -3, 0, "x", "12", "", False, None, 2**40, 1e300, *EXOTIC]),
        "flag": st.sampled_from([True, False, "true", 1, None]),
        "context": st.sampled_from([{"os": "iOS"}, {"os": None}, {"os": 7, "at": [1]}, {}, "iOS", None]),
    },
)
FIELDS = [
    Wanted("deviceType", "VARCHAR(64)", "device_type"),
    Wanted("deviceType", "VARCHAR(5)", "device"),
    Wanted("score", "DOUBLE", "score"),
    Wanted("score", "BIGINT", "points"),
    Wanted("score", "INTEGER", "few"),
    Wanted("score", "VARCHAR(16)", "score_text"),
    Wanted("flag", "BOOLEAN", "flag"),
    Wanted("context.os", "VARCHAR(16)", "os"),
]
CLEAN = st.fixed_dictionaries(
    {"deviceType": st.sampled_from(["phone", "né"]), "score": st.sampled_from([12.5, 3, 12.0, 0.1])}
)
FILES = st.lists(OTHERS, max_size=4) | st.lists(CLEAN, min_size=1, max_size=4)
STEPS = st.one_of(
    st.tuples(st.just("write"), st.sampled_from("abc"), FILES),
    st.tuples(st.just("write"), st.sampled_from("abc"), FILES),
    st.tuples(st.just("adopt"), st.sampled_from(FIELDS)),
    st.tuples(st.just("adopt"), st.sampled_from(FIELDS)),
    st.tuples(st.just("drop"), st.sampled_from(FIELDS)),
    st.tuples(st.just("undo")),
    st.tuples(st.just("refresh")),
    st.tuples(st.just("forget"), st.booleans()),
)
# Every third event is theirs.
FORGOTTEN = "7"


class History:
    """A warehouse, its lake, and what should be in it."""

    def __init__(self, place: Place, lake: Path) -> None:
        self.place, self.lake = place, lake
        self.written: dict[str, list[dict[str, Any]]] = {}
        self.loaded: dict[str, list[dict[str, Any]]] = {}
        self.adopted: list[Wanted] = []
        self.forgotten = self.keeps_plays = False
        self.write("z", [{}, {"deviceType": "phone"}])

    def write(self, name: str, others: Sequence[dict[str, Any]]) -> None:
        at = TS + ord(name) * 86_400_000
        users = (FORGOTTEN if n % 3 == 1 else "1" for n in range(len(others) + 1))
        records = [
            play(ts=at + n, sessionId=n, userId=user) | each
            for n, (each, user) in enumerate(zip([*others, {}], users, strict=True))
        ]
        write_records(self.lake / f"{name}.json", *records)
        self.written[name] = records
        assert etl(self.place, self.lake) == 0
        self.loaded = dict(self.written)

    def adopt(self, field: Wanted) -> None:
        there = [each for each in self.adopted if each.name == field.name]
        code = run(["fields", "adopt", *field.options, *options_of(self.place)])
        assert code == (2 if there and there != [field] else 0)
        if not there:
            self.adopted.append(field)

    def drop(self, field: Wanted) -> None:
        there = [each for each in self.adopted if each.name == field.name]
        code = run(["fields", "drop", field.name, *options_of(self.place)])
        assert code == (0 if there else 2)
        self.adopted = [each for each in self.adopted if each.name != field.name]

    def undo(self) -> None:
        ((number,),) = rows(
            self.place, "SELECT MAX(run_id) FROM etl.files WHERE state = 'loaded' AND kind = 'events'"
        )
        if number is None:
            return
        files = rows(self.place, f"SELECT uri FROM etl.files WHERE state = 'loaded' AND run_id = {number}")
        assert run(["undo", str(number), "--yes", *options_of(self.place)]) == 0
        for (uri,) in files:
            self.loaded.pop(Path(uri).stem)

    def forget(self, keep_plays: bool) -> None:
        if not self.forgotten:
            self.keeps_plays = keep_plays
        self.forgotten = True
        self.keeps_plays = self.keeps_plays and keep_plays
        options = ["--keep-plays"] if keep_plays else []
        assert run(["forget", FORGOTTEN, *options, "--yes", *options_of(self.place)]) == 0

    def refresh(self) -> None:
        assert etl(self.place, self.lake, None, "--full-refresh") == 0
        self.loaded = dict(self.written)

    def verify(self) -> None:
        records = [record for each in self.loaded.values() for record in each]
        if self.forgotten:
            theirs = [record for record in records if record["userId"] == FORGOTTEN]
            records = [record for record in records if record["userId"] != FORGOTTEN]
            if self.keeps_plays:
                ((anonymous,),) = rows(
                    self.place, "SELECT DISTINCT user_id FROM staging_events WHERE user_id LIKE 'anonymous-%'"
                ) or [(None,)]
                bare = set(play())
                records += [{key: record[key] for key in bare} | {"userId": anonymous} for record in theirs]
        assert staged(self.place, self.adopted) == expected(records, self.adopted)


@pytest.mark.as_owner("adopting a field adds a column, which takes the table's owner")
@pytest.mark.parametrize("engine", ENGINES)
def test_any_order_gives_what_the_oracle_says(warehouses: Warehouses, engine: str):
    examples = by_profile(6, 25, 500) if engine == "duckdb" else by_profile(2, 6, 100)

    @settings(max_examples=examples, suppress_health_check=list(HealthCheck))
    @given(st.lists(STEPS, min_size=3, max_size=8))
    def check(steps: list[tuple[Any, ...]]) -> None:
        with tempfile.TemporaryDirectory() as folder:
            history = History(warehouses.new(engine, Path(folder)), Path(folder) / "lake")
            for step, *arguments in steps:
                getattr(history, step)(*arguments)
                history.verify()

    check()


def test_a_history_by_hand(tmp_path: Path):
    """Every way into a column: filled for the past, read fast, read carefully, dropped and filled again."""
    history = History(tmp_path / "w.duckdb", tmp_path / "lake")
    mixed: list[dict[str, Any]] = [{"score": 12}, {"score": 12.5}, {"score": "x"}, {"deviceType": "né"}]
    history.write("a", [*mixed, {"context": {"os": "iOS"}}, {"flag": True}])
    for field in (FIELDS[0], FIELDS[2], FIELDS[6], FIELDS[7]):
        history.adopt(field)
        history.verify()
    history.write("b", [{"deviceType": "phone", "score": 1.5}, {"score": 0.1}, {"score": 1e300}])
    history.write("c", [{"score": "12"}, {"context": {"os": 3}}, {"flag": "true"}, {"deviceType": 5}])
    history.verify()
    history.write("a", mixed)
    history.verify()
    history.drop(FIELDS[2])
    history.verify()
    history.adopt(FIELDS[3])
    history.verify()


@pytest.mark.as_owner("adopting a field adds a column, which takes the table's owner")
@pytest.mark.parametrize("field", [FIELDS[0], FIELDS[2], FIELDS[6]], ids=lambda field: field.type)
def test_many_different_values_go_by_copy(
    warehouses: Warehouses, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, field: Wanted
):
    """There and back: what becomes of each text in ``extra`` is packed as the records were."""
    place = warehouses.new("redshift", tmp_path)
    assert isinstance(place, OnRedshift)
    monkeypatch.setattr(copying, "MOST_CHARACTERS", 10)
    history = History(place, tmp_path / "lake")
    others: list[dict[str, Any]] = [{"deviceType": "né '\\", "score": 0.1, "flag": True}]
    others += [{"deviceType": " ", "score": 1e300, "flag": False}, {"deviceType": "", "x": None, "y": "ü\n"}]
    history.write("a", [*others, {"score": 12, "context": {"flag": 1}}])
    place.server.statements.clear()
    history.adopt(field)
    history.verify()
    history.drop(field)
    history.verify()
    sent = [entry.sql for entry in place.server.statements]
    for table in ("run_adopted", "run_put_back"):
        assert sum(sql.startswith(f"COPY {table} ") for sql in sent) == 1
        assert not [sql for sql in sent if sql.startswith(f"INSERT INTO {table} ")]


_ADOPTED = [
    Field("deviceType", "device_type", "VARCHAR", 8, adopted=True),
    Field("score", "score", "DOUBLE", adopted=True),
    Field("x", "x", "BIGINT", adopted=True),
    Field("y z", "yz", "INTEGER", adopted=True),
    Field("-", "flag", "BOOLEAN", adopted=True),
    Field("context", "os", "VARCHAR", 16, adopted=True, path=("os",)),
    Field("context", "inside", "DOUBLE", adopted=True, path=("in", "at")),
]
KIND = EVENTS.adopting(_ADOPTED)


@pytest.fixture(scope="module", params=ENGINES)
def lander(
    request: pytest.FixtureRequest, warehouses: Warehouses, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Lander]:
    lander = Lander(open_place(warehouses.new(request.param, tmp_path_factory.mktemp("lander"))))
    yield lander
    lander.close()


@settings(max_examples=by_profile(20, 80, 10_000), suppress_health_check=list(HealthCheck))
@given(st.lists(st.lists(event_lines(contexts=True), min_size=1, max_size=4), min_size=1, max_size=3))
def test_the_engine_fills_what_the_careful_reader_fills(lander: Lander, files: list[list[bytes]]):
    contents = {f"{number}.json": b"\n".join(lines) for number, lines in enumerate(files)}
    landed = lander.land(KIND, contents)
    for name, data in contents.items():
        wanted = read(KIND, data)
        assert (landed[name].rows, landed[name].rejects) == (wanted.rows, wanted.rejects), data


@settings(max_examples=by_profile(60, 300, 20_000))
@given(event_lines(contexts=True))
def test_the_past_is_filled_as_the_files_are(line: bytes):
    """A record and what ``extra`` keeps of it come to the same columns, and leave the same in ``extra``."""
    record = parse(line)
    if isinstance(record, Refusal):
        return
    known = set(EVENTS.keys)
    kept = extra_of(record, known)
    direct = adopted_values(record, _ADOPTED)
    later = adopted_values(parse(kept.encode()) if kept else {}, _ADOPTED)
    assert later == direct
    assert extra_of(record, known | direct.held) == (
        extra_of(parse(kept.encode()), later.held) if kept else None
    )


# As they stand in a file: what columns hold in another form, or not at all, and what they hold.
_LITERALS = [
    *("12", "-3", "0", "-0", "12.5", "1.0", "-0.0", "0.0", "1.50", "1e3", "1E-7", "1e+16", "1e16"),
    *("100000.0", "1e22", "1e400", "5e-324", "9007199254740993", "9223372036854775808"),
    *("12345678901234567890123", "1e-400", "0.1", "0.1000000000000000055511151231"),
    *("123456789012345.5", '"12"', '"12.0"', '"-0.0"'),
    *('""', '"x "', '"x"', "true", "false", '"true"', "null", "[1.0]", '{"a":1e3}'),
]


@settings(max_examples=by_profile(60, 300, 20_000))
@example("-0.0")
@example("12")
@example("1.0")
@given(
    st.sampled_from(_LITERALS)
    | st.floats(allow_nan=False, allow_infinity=False).map(repr)
    | st.integers().map(str)
    | st.from_regex("-?[1-9][0-9]{0,3}([.][0-9]{1,3})?([eE][-+]?[0-9]{1,2})?", fullmatch=True)
    | st.text(max_size=8).map(json.dumps)
)
def test_what_leaves_extra_comes_back_letter_for_letter(literal: str):
    """Whatever a column has of a value, what a drop makes of that and of ``extra`` is the text before."""
    for field in _ADOPTED:
        kept = extra_of(parse(f'{{{json.dumps(field.key)}:{literal},"a":1.0}}'.encode()), ())
        assert kept
        found = adopted_values(parse(kept.encode()), [field])
        value = found.columns[field.column]
        if value is None or field.path:
            assert not found.held
            continue
        left = extra_of(parse(kept.encode()), found.held)
        # Blanks at the end are marked; tables group -0.0 with 0.0.
        in_table = f"{value}|" if field.is_text else value + 0.0 if field.type == "DOUBLE" else value
        assert (_put_back(left or "", in_table, field) or left) == kept


_COLUMN_TYPES = ["DOUBLE", "BIGINT", "INTEGER", "BOOLEAN", "VARCHAR(24)"]


@pytest.mark.parametrize(
    ("engine", "type_"),
    sweep([(engine, type_) for type_ in _COLUMN_TYPES for engine in ENGINES], 10),
)
def test_a_column_that_came_and_went_leaves_no_trace(
    warehouses: Warehouses, tmp_path: Path, engine: str, type_: str
):
    """Every table is as if it had never been: of what was loaded before, and of what came meanwhile."""
    lake = tmp_path / "lake"
    lake.mkdir()
    places = [warehouses.new(engine, tmp_path / name) for name in ("never", "adopted")]
    field = Wanted("score", type_, "score")
    for name in ("before", "meanwhile"):
        for number, other in enumerate(["", ',"more":[1.0,"x"],"tag":2.50', ',"a":1,"z":1']):
            lines = [
                json.dumps(play(ts=TS + n, sessionId=n, song=name))[:-1] + f',"score":{each}{other}}}'
                for n, each in enumerate(_LITERALS)
            ]
            few = [f"{line}\n" for line in lines if '"score":12' in line or '"score":-3' in line]
            (lake / f"{name}-{number}.json").write_text("\n".join(lines))
            (lake / f"{name}-{number}-few.json").write_text("".join(few))
        for place in places:
            assert etl(place, lake) == 0
        if name == "before":
            assert run(["fields", "adopt", *field.options, *options_of(places[1])]) == 0
    assert run(["fields", "drop", "score", *options_of(places[1])]) == 0
    never, adopted = map(hash_tables, places)
    assert adopted == never


def test_a_field_is_adopted_once(tmp_path: Path):
    """Of several who were told that it can be, the first has it; a drop takes the column that was shown."""
    history = History(tmp_path / "w.duckdb", tmp_path / "lake")
    history.write("a", [{"score": 12}, {"score": "x"}])
    wanted = [Wanted("score", "BIGINT", "m1"), Wanted("score", "DOUBLE", "m2")]
    engine = open_place(history.place)
    try:
        plans = [plan_adoption(engine, each.name, "events", each.type, each.column) for each in wanted]
        history.adopt(wanted[0])
        planned = plan_drop(engine, "score", None)
        for plan in plans:
            _is_refused(history, partial(adopt_field, engine, plan))
        history.drop(wanted[0])
        _is_refused(history, partial(drop_field, engine, planned))
        history.adopt(wanted[1])
        _is_refused(history, partial(drop_field, engine, planned))
    finally:
        engine.close()


def _is_refused(history: History, act: Callable[[Any], object]) -> None:
    before = hash_tables(history.place, ledger=True)
    with pytest.raises(SparkifyError) as caught, Screen(as_json=True).progress("trying") as progress:
        act(progress)
    assert caught.value.exit_code == FAILED
    assert hash_tables(history.place, ledger=True) == before
    history.verify()


def test_of_two_columns_of_a_field_each_can_be_dropped(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """Once, two who adopted a field at a time gave it two columns, one empty for all history."""
    history = History(tmp_path / "w.duckdb", tmp_path / "lake")
    history.write("a", [{"score": 12}, {"score": "x"}])
    history.adopt(Wanted("score", "BIGINT", "m1"))
    execute(history.place, "ALTER TABLE staging_events ADD COLUMN m2 BIGINT")
    execute(
        history.place,
        "INSERT INTO etl.fields (kind, field, path, column_name, column_type, run_id) "
        """VALUES ('events', 'score', '["score"]', 'm2', 'BIGINT', 99)""",
    )
    history.adopted += [Wanted("score", "BIGINT", "m2")]
    write_records(history.lake / "b.json", play(score=7))
    assert etl(history.place, history.lake) == 0
    assert rows(history.place, "SELECT m1, m2 FROM staging_events WHERE m1 > 0 ORDER BY 1") == [
        (7, 7),
        (12, None),
    ]
    capsys.readouterr()
    assert run(["fields", "list", "--json", *options_of(history.place)]) == 0
    listed = json.loads(capsys.readouterr().out)["fields"]
    assert [each["column"] for each in listed if each["name"] == "score"] == ["m1", "m2"]
    for name, code in [("score", 2), ("m2", 0), ("m2", 2), ("score", 0)]:
        assert run(["fields", "drop", name, *options_of(history.place)]) == code
    history.written["b"] = [play(score=7)]
    history.loaded, history.adopted = history.written, []
    history.verify()


@pytest.mark.as_owner("adopting a field adds a column, which takes the table's owner")
@pytest.mark.parametrize("engine", ENGINES)
def test_an_adopted_field_is_read_as_fast_as_any(
    warehouses: Warehouses, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: str
):
    """Neither record by record, nor with a second look at the fields of the file."""
    history = History(warehouses.new(engine, tmp_path), tmp_path / "lake")
    history.adopt(FIELDS[0])
    history.adopt(FIELDS[2])
    monkeypatch.setattr(carefully, "read_carefully", None)
    monkeypatch.setattr("sparkify.pipeline.strictly._survey", None)
    history.write("a", [{"deviceType": "né", "score": 0.1}, {"score": -3}, {"deviceType": "", "score": 0}])
    history.verify()
    if engine == "redshift":  # what does not fit, too: our rules have judged it when it was packed
        others: list[dict[str, Any]] = [
            {"deviceType": 7, "score": "x"},
            {"deviceType": "x" * 65, "more": [1.50, {"a": None}]},
        ]
        history.write("b", others)
        history.verify()


@pytest.mark.parametrize("lost", ['"sparkify_field_score": 1.5', '"sparkify_extra"'])
def test_a_file_of_which_copy_loads_other_values_is_read_record_by_record(
    warehouses: Warehouses, tmp_path: Path, lost: str
):
    """As many as were packed have to be in the table: of its columns, and of ``extra``."""
    lander = Lander(open_place(warehouses.new("redshift", tmp_path)))
    loader: Any = lander.engine
    lines = [json.dumps(play(sessionId=n, score=1.5, more=n)).encode() for n in range(3)]

    def loses(*arguments: Any) -> Iterator[bytes]:
        for number, line in enumerate(pack_lines(*arguments)):
            assert lost.encode() in line
            yield (
                line.replace(lost.encode(), lost.replace("sparkify_", "x_").encode(), 1)
                if number == 1
                else line
            )

    loader._landing._pack = loses
    data = b"\n".join(lines)
    try:
        landed = lander.land(KIND, {"a.json": data})["a.json"]
    finally:
        lander.close()
    assert (landed.rows, landed.unknown) == (read(KIND, data).rows, {"more": 3})


def test_the_command_tells_and_refuses(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    history = History(tmp_path / "w.duckdb", tmp_path / "lake")
    place = history.place
    history.write("a", [{"score": 1}, {"score": 2.5}, {"score": "x"}, {"order": 1}, {"context": {"os": 1}}])
    before = hash_tables(place, ledger=True)

    def fields(*words: str) -> int:
        return run(["fields", *words, *options_of(place)])

    refused = [
        ["adopt", "userId"],
        ["adopt", "nosuch"],
        ["adopt", "context"],
        ["adopt", "order", "--as", "order"],
        ["adopt", "score", "--as", "level"],
        ["adopt", "score", "--as", "Score 1"],
        ["adopt", "score", "--type", "DECIMAL(9, 2)"],
        ["adopt", "score", "--type", "VARCHAR(70000)"],
        ["drop", "score"],
    ]
    for words in refused:
        assert fields(*words) == 2, words
    assert fields("adopt", "score", "--type", "DOUBLE", "--strict") == 3
    capsys.readouterr()
    assert fields("adopt", "score", "--plan", "--json") == 0
    planned = json.loads(capsys.readouterr().out)
    assert planned["column"] == "score"
    assert fields("adopt", "order", "--plan", "--json") == 0  # a word that SQL keeps to itself
    assert json.loads(capsys.readouterr().out)["column"] == "event_order"
    assert (planned["type"], planned["run_id"]) == ("VARCHAR(64)", None)
    assert planned["seen"] == {"whole number": 1, "number": 1, "text": 1}
    assert hash_tables(place, ledger=True) == before
    assert fields("adopt", "score", "--type", "double precision", "--json") == 0
    done = json.loads(capsys.readouterr().out)
    assert (done["filled"], done["converted"], done["misfits"], done["samples"]) == (2, 1, 1, ['"x"'])
    after = hash_tables(place, ledger=True)
    assert fields("adopt", "score") == 0
    assert fields("adopt", "score", "--as", "other") == 2
    assert hash_tables(place, ledger=True) == after
    capsys.readouterr()
    assert fields("list", "--json") == 0
    listed = {each["name"]: each for each in json.loads(capsys.readouterr().out)["fields"]}
    assert (listed["score"]["state"], listed["score"]["column"]) == ("adopted", "score")
    assert (listed["score"]["types"], listed["score"]["sample"]) == (["whole number", "text"], "1")


def test_a_field_is_told_from_others_of_its_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """Inside an object, with a dot in its key, in other capitals; adopted before it comes."""
    history = History(tmp_path / "w.duckdb", tmp_path / "lake")
    place = history.place
    history.adopt(FIELDS[7])  # a field inside an object that nobody has seen
    history.write("a", [{"context": {"os": "linux"}, "PAGE": "x", "Page": "y"}])
    history.verify()
    assert run(["fields", "adopt", "context.os", *options_of(place)]) == 0
    assert run(["fields", "adopt", "PAGE", *options_of(place)]) == 0
    assert run(["fields", "adopt", "Page", *options_of(place)]) == 0
    assert rows(place, "SELECT event_page, event_page_2 FROM staging_events WHERE event_page = 'x'") == [
        ("x", "y")
    ]
    history.write("b", [{"context.os": "literal"}])
    assert run(["fields", "adopt", "context.os", "--as", "other", *options_of(place)]) == 2
    capsys.readouterr()
    assert run(["fields", "list", "--json", *options_of(place)]) == 0
    listed = [each for each in json.loads(capsys.readouterr().out)["fields"] if each["name"] == "context.os"]
    assert [(each["state"], each["column"]) for each in listed] == [("adopted", "os")]
    assert run(["fields", "drop", "context.os", *options_of(place)]) == 0


def test_models_of_the_user_stand_on_the_new_column(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A view of all columns is made again; one that needs a column which goes keeps it."""
    history = History(tmp_path / "w.duckdb", tmp_path / "lake")
    models = write_folder(tmp_path / "models", {"marts/all_events.sql": "SELECT * FROM staging_events;"})
    monkeypatch.setenv("SPARKIFY_DWH_MODELS", str(models))
    assert etl(history.place, history.lake) == 0
    history.adopt(FIELDS[0])
    wanted = [("phone", 1), (None, 2)]
    found = "SELECT device_type, COUNT(*) FROM marts.all_events GROUP BY 1 ORDER BY 2"
    assert rows(history.place, found) == wanted
    write_folder(models, {"marts/all_events.sql": "SELECT device_type FROM staging_events;"})
    assert etl(history.place, history.lake) == 0
    before = hash_tables(history.place, ledger=True)
    assert run(["fields", "drop", "deviceType", *options_of(history.place)]) == 1
    monkeypatch.delenv("SPARKIFY_DWH_MODELS")  # then the view could not be made again
    assert run(["fields", "drop", "deviceType", *options_of(history.place)]) == 1
    assert (
        run(["fields", "adopt", "score", "--kind", "events", "--type", "BIGINT", *options_of(history.place)])
        == 1
    )
    assert hash_tables(history.place, ledger=True) == before
    assert rows(history.place, found) == wanted


@pytest.mark.parametrize("command", ["adopt", "drop"])
def test_stopped_at_any_statement_all_is_as_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
):
    history = History(tmp_path / "w.duckdb", tmp_path / "lake")
    history.write("a", [{"score": 12.5}, {"score": 12}, {"score": "x"}])
    if command == "drop":
        history.adopt(FIELDS[2])
    words = ["fields", command, *(FIELDS[2].options if command == "adopt" else ["score"])]
    before = hash_tables(history.place, ledger=True), staged(history.place, history.adopted)
    original = DuckDBEngine.execute
    left = 0

    def stops(self: DuckDBEngine, step: Statement, **parameters: Any) -> Any:
        nonlocal left
        left -= 1
        if left < 0:
            raise KeyboardInterrupt
        return original(self, step, **parameters)

    monkeypatch.setattr(DuckDBEngine, "execute", stops)
    for stop_at in range(0, 1000, by_profile(4, 2, 1)):
        left = stop_at
        code = run([*words, *options_of(history.place)])
        if code == 0:
            break
        assert code == 130
        assert (hash_tables(history.place, ledger=True), staged(history.place, history.adopted)) == before
    assert stop_at > 12
    history.adopted = [FIELDS[2]] if command == "adopt" else []
    history.verify()
