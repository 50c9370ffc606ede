"""`--force` removes the files of an earlier simulation and never anybody else's, in a folder as on S3."""

from __future__ import annotations

import pytest

from sparkify.errors import SourceError
from sparkify.simulator.manifest import MANIFEST
from sparkify.simulator.workers import simulate
from tests.simulator.files import tree


@pytest.mark.parametrize("dirty", [False, True], ids=["clean", "dirty"])
def test_an_earlier_simulation_is_replaced_and_what_lies_elsewhere_stays(make_plan, place, tmp_path, dirty):
    uri, folder, aws = place
    simulate(make_plan(days=9, songs=30, dirty=dirty), uri, aws)
    precious = ["precious.txt", "mine/log_data/1.json"]
    for name in precious:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("x")
    simulate(make_plan(days=3, seed=7), uri, aws, force=True)
    simulate(make_plan(days=3, seed=7), str(tmp_path / "fresh"), aws)
    assert tree(folder) == tree(tmp_path / "fresh") | dict.fromkeys(precious, b"x")
    assert (folder / MANIFEST).read_bytes() == (tmp_path / "fresh" / MANIFEST).read_bytes()


@pytest.mark.parametrize(
    "name",
    [
        "log_data/precious.json",
        "log_data/2018/11/precious.txt",
        "song_data/A/A/A/precious.json",
        "song_data/precious",
        "truth.json",
    ],
)
@pytest.mark.parametrize("listed", [True, False], ids=["listed", "before there was a list"])
def test_what_is_in_the_way_and_not_of_a_simulation_is_named_and_nothing_is_removed(
    make_plan, place, name, listed
):
    uri, folder, aws = place
    if listed:
        simulate(make_plan(), uri, aws)
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text("x")
    before = tree(folder)
    with pytest.raises(SourceError, match=f"1 file that {MANIFEST} there does not list .*{name}"):
        simulate(make_plan(seed=7, dirty=True), uri, aws, force=True)
    assert tree(folder) == before


def test_a_simulation_without_its_list_is_left_alone(make_plan, place):
    """As those have none that were made before there was one; somebody's own file of that name is no list."""
    uri, folder, aws = place
    simulate(make_plan(), uri, aws)
    for text in ("my notes\n", None):
        if text is None:
            (folder / MANIFEST).unlink()
        else:
            (folder / MANIFEST).write_text(text + "\n".join(tree(folder)))
        before = tree(folder)
        with pytest.raises(SourceError, match="does not list"):
            simulate(make_plan(seed=7), uri, aws, force=True)
        assert tree(folder) == before


def test_an_interrupted_simulation_can_be_replaced(make_plan, place, monkeypatch):
    uri, folder, aws = place
    with monkeypatch.context() as patched:
        patched.setattr("sparkify.simulator.world.SimulationPlan.log_key", interrupt_later())
        with pytest.raises(KeyboardInterrupt):
            simulate(make_plan(songs=5), uri, aws, workers=1)
    assert tree(folder)
    simulate(make_plan(songs=5), uri, aws, force=True)


def interrupt_later():
    """Return a `log_key` that fails once the list has been written."""
    from sparkify.simulator.world import SimulationPlan

    real, calls = SimulationPlan.log_key, iter(range(99))

    def log_key(plan, day):
        if next(calls) > plan.days:
            raise KeyboardInterrupt
        return real(plan, day)

    return log_key


def test_songs_that_were_played_are_still_of_the_simulation_that_made_them(make_plan, place):
    uri, folder, aws = place
    simulate(make_plan(), uri, aws)
    simulate(make_plan(song_data=f"{uri}/song_data"), uri, aws, force=True)
    simulate(make_plan(songs=3), uri, aws, force=True)
    assert len(list((folder / "song_data").rglob("*.json"))) == 3
