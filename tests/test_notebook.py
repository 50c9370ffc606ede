"""The notebook is true: its cells are run in order, and what they show is what it shows.

``UPDATE_DOCS=1`` writes this run's outputs into it, as for the other pages.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests import notebook
from tests.conftest import ROOT
from tests.test_docs import steady

PAGE = ROOT / "docs" / "notebook.ipynb"


def test_the_notebook_shows_what_it_does_and_foretells_who_leaves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    page = notebook.read(PAGE)
    cells = notebook.code_cells(page)
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    ran = [notebook.execute(cell, names, number) for number, cell in enumerate(cells, 1)]
    chance, by_score, by_truth = (names[name] for name in ("chance", "by_score", "by_truth"))
    assert isinstance(by_score, float)
    assert isinstance(by_truth, float)
    assert chance == 0.5
    assert 0.55 < by_score < by_truth + 0.05
    if os.environ.get("UPDATE_DOCS"):
        fresh = iter(ran)
        page["cells"] = [next(fresh) if cell["cell_type"] == "code" else cell for cell in page["cells"]]
        notebook.write(PAGE, page)
        return
    for before, after in zip(cells, ran, strict=True):
        assert steady(notebook.shown(after)) == steady(notebook.shown(before))
