"""Write what is generated from records and models: ``make generate``.

Committed files, for reading and review: ``sql/derived/*.sql``, the statements that follow from
:mod:`sparkify.records`; ``warehouse/duckdb/translated.sql``, every statement that DuckDB runs in its dialect;
and the views' part of ``docs/analysts.md``.
"""

from __future__ import annotations

import textwrap
from pathlib import Path

import sparkify.sql
from sparkify.records import KINDS
from sparkify.report.numbers import statement_names
from sparkify.report.panels import report_statement, spell_out
from sparkify.warehouse import tables, views
from sparkify.warehouse.derived import derived_files, for_every_engine, write_tables
from sparkify.warehouse.duckdb import translation
from sparkify.warehouse.statements import FEW, LOST, SPARSE, TOUCHED, Statement, read_statements

SQL = Path(sparkify.sql.__file__).parent
ANALYSTS = Path(__file__).parents[1] / "docs" / "analysts.md"
# What only Redshift is sent.
REDSHIFT_ONLY = ("redshift/", "doctor/")


def derived() -> dict[str, str]:
    """Return the text of every file below ``sql/derived``, by its path below ``sql``."""
    return {**derived_files(KINDS), "derived/tables.sql": write_tables(tables.all_tables())}


def for_duckdb() -> list[Statement]:
    """Return every statement that DuckDB runs, in the order of their files."""
    written = sorted(path.relative_to(SQL).as_posix() for path in SQL.rglob("*.sql"))
    paths = [path for path in written if not path.startswith((*REDSHIFT_ONLY, "derived/"))]
    steps = [step for path in paths for step in read_statements(path)]
    dropped = views.dropping(views.view_definitions())
    shown = [spell_out(report_statement(name)) for name in statement_names()]
    found = [*steps, *for_every_engine(KINDS), *tables.all_table_statements(), *dropped, *shown]
    marks = ((), (SPARSE,), (LOST,), (SPARSE, LOST), (SPARSE, TOUCHED), (SPARSE, LOST, TOUCHED), (FEW,))
    return list(dict.fromkeys(step.without(*some) for step in found for some in marks))


def analysts() -> str:
    """Return the page for analysts: its text as it is, then the heads of the views' definitions."""
    text = ANALYSTS.read_text(encoding="utf-8").partition("\n## ")[0].rstrip()
    parts = []
    for name, step in sorted(views.view_definitions().items()):
        lines = [line.removeprefix("-- ") for line in step.text.splitlines() if line.startswith("-- ")]
        words = " ".join(line for line in lines if not line.startswith("grain: "))
        parts.append(f"## {name}\n\n{textwrap.fill(words, 120, break_on_hyphens=False)}")
    return "\n\n".join([text, *parts]) + "\n"


def main() -> None:
    """Write the files, and remove those of kinds that are gone."""
    folder = SQL / "derived"
    folder.mkdir(exist_ok=True)
    files = derived()
    for path in folder.glob("*.sql"):
        if f"derived/{path.name}" not in files:
            path.unlink()
    for name, text in files.items():
        (SQL / name).write_text(text, encoding="utf-8")
    target = Path(translation.__file__).with_name(translation.FILE)
    target.write_text(translation.write_file(for_duckdb()), encoding="utf-8")
    ANALYSTS.write_text(analysts(), encoding="utf-8")


if __name__ == "__main__":
    main()
