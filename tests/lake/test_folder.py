"""What a local folder promises as a lake."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Self

import pytest

from sparkify.errors import SourceChanged, SourceDenied, SourceError, SourceNotFound
from sparkify.lake.folder import Folder
from sparkify.lake.store import LakeObject, is_data, read_all
from sparkify.lake.stores import open_store
from sparkify.settings import load_settings


def write(root: Path, *keys: str, data: bytes = b"{}") -> None:
    for key in keys:
        path = root / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def keys(root: Path) -> list[str]:
    return [item.key for item in Folder(str(root)).listing().objects]


def test_every_data_file_is_listed_by_key_and_the_rest_is_reported(tmp_path: Path) -> None:
    write(tmp_path, "b/2.json", "a/1.jsonl.gz", "c.NDJSON.zst", "notes.txt", "_SUCCESS", "b/.x.json", "json")
    listing = Folder(str(tmp_path)).listing()
    assert [item.key for item in listing.objects] == ["a/1.jsonl.gz", "b/2.json", "c.NDJSON.zst"]
    assert listing.ignored == ["_SUCCESS", "b/.x.json", "json", "notes.txt"]


@pytest.mark.parametrize(
    ("key", "data"),
    [
        ("a.json", True),
        ("2018/11/a-events.JSON", True),
        ("a.json.gz", True),
        ("a.ndjson.zst", True),
        ("a.json.bz2", False),
        ("a.jsonx", False),
        ("a.gz", False),
        (".a.json", False),
        ("_tmp/a.json", False),
        ("x/.ipynb_checkpoints/a.json", False),
        ("x_/a_.json", True),
    ],
)
def test_what_is_data(key: str, data: bool) -> None:
    assert is_data(key) is data


def test_a_folder_does_not_take_its_neighbour(tmp_path: Path) -> None:
    write(tmp_path, "log_data/1.json", "log_data_old/2.json")
    assert keys(tmp_path / "log_data") == ["1.json"]
    assert keys(Path(f"{tmp_path}/log_data/")) == ["1.json"]


def test_one_file_is_a_lake_of_one(tmp_path: Path) -> None:
    write(tmp_path, "d/one.json", data=b'{"a": 1}')
    store = Folder(str(tmp_path / "d" / "one.json"))
    (item,) = store.listing().objects
    assert (item.key, item.uri) == ("one.json", str(tmp_path / "d" / "one.json"))
    assert store.read(item) == b'{"a": 1}'


def test_a_relative_folder_gives_absolute_uris(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the ledger would take the same file, seen from another folder, for a new one."""
    write(tmp_path, "lake/1.json")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    uris = {
        Folder(name).listing().objects[0].uri
        for name in ("lake", "./lake/", "../" + tmp_path.name + "/lake", "~/lake")
    }
    assert uris == {str(tmp_path / "lake" / "1.json")}


def test_links_are_followed_and_loops_are_not(tmp_path: Path) -> None:
    write(tmp_path, "lake/a/1.json", "lake/b/2.json", "elsewhere/3.json")
    lake = tmp_path / "lake"
    (lake / "link").symlink_to(tmp_path / "elsewhere")
    (lake / "again").symlink_to(tmp_path / "elsewhere")
    (lake / "4.json").symlink_to(tmp_path / "elsewhere" / "3.json")
    assert keys(lake) == ["4.json", "a/1.json", "again/3.json", "b/2.json", "link/3.json"]

    (lake / "a" / "self").symlink_to(lake / "a")
    (lake / "a" / "root").symlink_to(lake)
    (lake / "a" / "above").symlink_to("/")
    (tmp_path / "elsewhere" / "back").symlink_to(lake)
    assert keys(lake) == ["4.json", "a/1.json", "again/3.json", "b/2.json", "link/3.json"]


def test_links_that_lead_into_each_other_end(tmp_path: Path) -> None:
    write(tmp_path, "a/1.json", "b/2.json")
    (tmp_path / "a" / "to_b").symlink_to(tmp_path / "b")
    (tmp_path / "b" / "to_a").symlink_to(tmp_path / "a")
    assert keys(tmp_path) == ["a/1.json", "a/to_b/2.json", "b/2.json", "b/to_a/1.json"]


def test_a_link_to_nothing_is_named_where_it_would_be_data(tmp_path: Path) -> None:
    (tmp_path / ".#lock.json").symlink_to("user@host.1234")
    assert Folder(str(tmp_path)).listing().ignored == [".#lock.json"]
    (tmp_path / "lost.json").symlink_to(tmp_path / "nowhere.json")
    with pytest.raises(SourceNotFound) as caught:
        Folder(str(tmp_path)).listing()
    assert caught.value.uri == str(tmp_path / "lost.json")


def test_names_that_are_no_data_stop_nothing(tmp_path: Path) -> None:
    """Whatever they are: not UTF-8, or a link to itself."""
    write(tmp_path, "1.json")
    (tmp_path / "self").symlink_to(tmp_path / "self")
    (tmp_path / os.fsdecode(b"caf\xe9.txt")).touch()
    listing = Folder(str(tmp_path)).listing()
    assert [item.key for item in listing.objects] == ["1.json"]
    assert listing.ignored == ["caf\\xe9.txt", "self"]


def test_a_pipe_among_the_files_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.json")
    with pytest.raises(SourceError) as caught:
        Folder(str(tmp_path)).listing()
    assert caught.value.uri == str(tmp_path / "pipe.json")


def test_a_socket_that_is_no_data_is_reported_and_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, "1.json")
    monkeypatch.chdir(tmp_path)  # a socket's path is at most 108 bytes
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("server.sock")
        listing = Folder(str(tmp_path)).listing()
    assert [item.key for item in listing.objects] == ["1.json"]
    assert listing.ignored == ["server.sock"]


def test_a_missing_folder_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(SourceNotFound) as caught:
        Folder(str(tmp_path / "nothing")).listing()
    assert caught.value.uri == str(tmp_path / "nothing")
    assert caught.value.hint


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything; the test below stands in")
@pytest.mark.parametrize("what", ["folder", "file"])
def test_what_we_may_not_read_is_denied(tmp_path: Path, what: str) -> None:
    write(tmp_path, "d/1.json")
    closed = tmp_path / "d" if what == "folder" else tmp_path / "d" / "1.json"
    closed.chmod(0)
    try:
        with pytest.raises(SourceDenied) as caught:
            list(read_all(Folder(str(tmp_path)), Folder(str(tmp_path)).listing().objects))
    finally:
        closed.chmod(0o755)
    assert caught.value.uri == str(closed)


@pytest.mark.parametrize("call", ["scandir", "open", "stat"])
def test_a_refusal_of_the_system_is_denied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    write(tmp_path, "1.json")
    store = Folder(str(tmp_path))
    (item,) = store.listing().objects

    def refuse(path: str, *_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", path)

    with monkeypatch.context() as patched:
        if call == "open":
            patched.setattr("builtins.open", refuse)
        else:
            patched.setattr(os, call, refuse)
        with pytest.raises(SourceDenied) as caught:
            {"scandir": store.listing, "open": lambda: store.read(item), "stat": lambda: store.verify(item)}[
                call
            ]()
    assert caught.value.uri == (str(tmp_path) if call == "scandir" else item.uri)


@pytest.mark.parametrize("change", ["same size", "grown", "gone", "replaced"])
def test_a_file_that_changed_after_listing_is_never_loaded(tmp_path: Path, change: str) -> None:
    write(tmp_path, "1.json", data=b'{"a": 1}')
    path = tmp_path / "1.json"
    store = Folder(str(tmp_path))
    (item,) = store.listing().objects
    assert store.local_path(item, tmp_path) == path
    store.verify(item)
    if change == "gone":
        path.unlink()
    else:
        path.write_bytes(b'{"a": 12}' if change == "grown" else b'{"a": 2}')
        if change != "grown":
            moment = int(item.version) + 1_000_000
            os.utime(path, ns=(moment, moment))
    for look in (store.read, store.verify):
        with pytest.raises(SourceChanged) as caught:
            look(item)
        assert caught.value.uri == str(path)


def test_a_file_written_to_while_it_is_read_is_never_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The writer keeps the size and comes after the file is opened: only a look after the read can tell."""
    write(tmp_path, "1.json", data=b"1111")
    store = Folder(str(tmp_path))
    (item,) = store.listing().objects

    class Opened:
        def __init__(self, path: str, *_: object, **__: object) -> None:
            self.file = os.fdopen(os.open(path, os.O_RDWR), "r+b", buffering=0)

        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_: object) -> None:
            self.file.close()

        def fileno(self) -> int:
            return self.file.fileno()

        def read(self) -> bytes:
            half = self.file.read(2)
            self.file.write(b"22")
            os.utime(self.fileno(), ns=(0, int(item.version) + 1_000_000))
            self.file.seek(2)
            return half + self.file.read()

    monkeypatch.setattr("sparkify.lake.folder.open", Opened, raising=False)
    with pytest.raises(SourceChanged):
        store.read(item)


@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, 64, 1000])
def test_reading_many_keeps_their_order_and_misses_none(tmp_path: Path, count: int) -> None:
    write(tmp_path, "x")
    for number in range(count):
        (tmp_path / f"{number:04}.json").write_bytes(b"%d" % number)
    store = Folder(str(tmp_path))
    read = list(read_all(store, store.listing().objects))
    assert [data for _, data in read] == [b"%d" % number for number in range(count)]
    assert [item.key for item, _ in read] == [f"{number:04}.json" for number in range(count)]


def test_one_file_that_fails_stops_the_reading(tmp_path: Path) -> None:
    write(tmp_path, *(f"{number:03}.json" for number in range(100)))
    store = Folder(str(tmp_path))
    objects: list[LakeObject] = store.listing().objects
    (tmp_path / "050.json").unlink()
    with pytest.raises(SourceChanged) as caught:
        list(read_all(store, objects))
    assert caught.value.uri == str(tmp_path / "050.json")


def test_the_uri_decides_the_store(tmp_path: Path) -> None:
    settings = load_settings(flags={"AWS.KEY": "TESTACCESSKEY", "AWS.SECRET": "x"})
    assert type(open_store(str(tmp_path), settings.aws)).__name__ == "Folder"
    assert type(open_store("s3://bucket/prefix", settings.aws)).__name__ == "Bucket"
