"""The dictionary has every column there is, and says truly where it comes from."""

from __future__ import annotations

import json
import re
from datetime import date, datetime
from pathlib import Path

import pytest

from sparkify.cli.app import run
from sparkify.records import KINDS
from sparkify.report.dictionary import JOINS, DescribedTable, describe_warehouse, write_markdown
from sparkify.warehouse.tables import STAGING, STAR
from tests.warehouses import Warehouses, options_of, rows

# What only counts rows, or is a constant.
COUNTS = {"plays", "people", "events", "cohort_people", "cohort_by"}
# What an example of a column is in Python, by the type that DuckDB gives the column.
EXAMPLES = {
    **dict.fromkeys(("BIGINT", "INTEGER"), int),
    "BOOLEAN": bool,
    "DOUBLE": float,
    "VARCHAR": str,
    "TIMESTAMP": datetime,
    "DATE": date,
}


@pytest.fixture(scope="module")
def described() -> dict[str, DescribedTable]:
    return {table.name: table for table in describe_warehouse()}


def test_it_has_every_column_of_the_database_with_an_example_that_fits(
    described: dict[str, DescribedTable], warehouses: Warehouses, tmp_path: Path
) -> None:
    place = warehouses.new("duckdb", tmp_path)
    assert run(["create-tables", *options_of(place)]) == 0
    there: dict[str, dict[str, str]] = {}
    for schema, table, column, type_ in rows(
        place,
        "SELECT table_schema, table_name, column_name, data_type FROM information_schema.columns "
        "WHERE table_schema IN ('main', 'etl', 'analytics') "
        "ORDER BY table_schema, table_name, ordinal_position",
    ):
        there.setdefault(table if schema == "main" else f"{schema}.{table}", {})[column] = type_
    assert {name: [each.name for each in table.columns] for name, table in described.items()} == {
        name: list(columns) for name, columns in there.items()
    }
    for name, table in described.items():
        for each in table.columns:
            assert type(each.example) is EXAMPLES[there[name][each.name]], f"{name}.{each.name}"
            width = re.search(r"VARCHAR\((\d+)\)", each.type)
            assert not width or len(str(each.example).encode()) <= int(width[1]), f"{name}.{each.name}"


def test_every_table_and_column_says_what_it_is(described: dict[str, DescribedTable]) -> None:
    for table in described.values():
        assert table.about, table.name
        assert all(each.meaning for each in table.columns), table.name


def test_where_columns_come_from(described: dict[str, DescribedTable]) -> None:
    """By hand, for one of each kind of computation."""

    def column(name: str) -> tuple[list[str], list[str]]:
        table, _, wanted = name.rpartition(".")
        (found,) = [each for each in described[table].columns if each.name == wanted]
        return found.origins, found.fields

    assert column("songplays.start_time") == (["staging_events.ts"], ["events.ts"])
    assert column("songplays.song_id") == (["songs.song_id"], ["songs.song_id"])
    assert column("users.last_seen_ts") == (["staging_events.ts"], ["events.ts"])
    assert column("songs.artist_name") == (["staging_songs.artist_name"], ["songs.artist_name"])
    assert column("artists.name") == (["staging_songs.artist_name"], ["songs.artist_name"])
    assert column("time.hour") == (["songplays.start_time"], ["events.ts"])
    assert column("analytics.top_artists.artist") == (["songplays.artist"], ["events.artist"])
    assert column("analytics.sessions.started_at") == (["staging_events.ts"], ["events.ts"])
    assert column("analytics.funnel.page") == (["staging_events.page"], ["events.page"])
    assert column("analytics.top_songs.plays") == ([], [])


def test_every_column_of_star_and_views_is_traced_to_files(described: dict[str, DescribedTable]) -> None:
    fields = {f"{kind.name}.{field.key}" for kind in KINDS for field in kind.fields}
    for name, table in described.items():
        if name in STAR or name.startswith("analytics."):
            for each in table.columns:
                counted = each.name in COUNTS or (name, each.name) == ("analytics.clocks", "time_zone")
                assert each.fields or counted, f"{name}.{each.name}"
                assert set(each.fields) <= fields
                assert all(origin.split(".")[0] in (*STAR, *STAGING) for origin in each.origins)


def test_joins_lead_to_columns_that_are_there(described: dict[str, DescribedTable]) -> None:
    names = {f"{table.name}.{each.name}" for table in described.values() for each in table.columns}
    assert {name for join in JOINS for name in join} <= names


def test_the_command_writes_both_pages(
    described: dict[str, DescribedTable],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = tmp_path / "a" / "docs"
    model = tmp_path / "models" / "marts" / "daily.sql"
    model.parent.mkdir(parents=True)
    model.write_text(
        "-- Busy days.\n-- grain: day\n-- materialized: table\n"
        "SELECT d.day, d.plays FROM analytics.daily_activity AS d;\n"
    )
    monkeypatch.setenv("SPARKIFY_DWH_MODELS", str(model.parents[1]))
    assert run(["docs", "-o", str(folder), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert {Path(file).name for file in told["files"]} == {"index.html", "dictionary.md"}
    page = (folder / "index.html").read_text(encoding="utf-8")
    assert not re.search(r"""(src|href)=["']?(https?:)?//""", page)
    assert "<script" not in page
    anchors = set(re.findall(r'href="#([\w-]+)"', page))
    assert anchors <= set(re.findall(r'id="([\w-]+)"', page))
    text = (folder / "dictionary.md").read_text(encoding="utf-8")
    assert text.startswith(write_markdown(described.values()))
    own = told["tables"][-1]
    assert (own["name"], own["grain"]) == ("marts.daily", "day")
    assert own["about"] == "Your own table, of analytics.daily_activity. Busy days."
    assert [each["name"] for each in own["columns"]] == ["day", "plays"]
    assert "## marts.daily" in text
    (tmp_path / "file").touch()
    assert run(["docs", "-o", str(tmp_path / "file" / "docs")]) == 2
