"""A file is its content: the same content under another name is a copy, or the file has moved.

What has landed is compared with the ledger before it is accepted. :func:`decide` says what becomes of every
file; it reads and changes nothing. :func:`settle` asks the warehouse where the ledger does not know contents
yet, and removes from the run's tables what is not to be loaded; :func:`write_contents` writes names and
copies into the ledger, in the transaction of the run.

A place *holds* a content if it is listed with it. The *owner* of a content is the one row of the ledger that
stands for it: loaded, retracted or set aside. It stays where it is while its place holds the content; else it
goes to the first place that does, with its rows, and has moved. Other places that hold it are copies.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from sparkify.lake.store import LakeObject
from sparkify.pipeline.landing import LandedFile, Landing, unland
from sparkify.pipeline.plan import Source, choose_file_id, listed_objects
from sparkify.records import KINDS
from sparkify.warehouse.derived import statements_of
from sparkify.warehouse.engine import Engine
from sparkify.warehouse.ledger import FileRecord, LedgerFile, record
from sparkify.warehouse.statements import statement

# A kind, the root that its files lay below, and the root that they lie below now.
Roots = tuple[str, str, str]


class Move(NamedTuple):
    """A file whose place, or whose version there, is another one now; its rows and its number stay."""

    file: LedgerFile
    item: LakeObject
    content: str | None

    @property
    def renamed(self) -> bool:
        """Whether it lies elsewhere."""
        return self.file.uri != self.item.uri


class Copy(NamedTuple):
    """A file of which nothing is loaded: ``uri`` has the same content, and stands for both."""

    landed: LandedFile
    uri: str


@dataclass(slots=True)
class Decision:
    """What becomes of the files of a batch.

    Attributes:
        loads: What is loaded, by the numbers it is loaded with.
        copies: What has landed and is a copy.
        moves: Files of the ledger that get another name or version.
        replaced: Numbers of the files whose rows go.
        left_out: Numbers of the landed files of which nothing is loaded.
        corrected: Files of a lake that has moved that are other ones now: from where, to where.
        renumbered: Those that are loaded with another number than they landed with.
        unproven: Loaded files, by number, that a new file (its URI) may replace, if the roots are shown to be
            one lake that has moved.
        moved_roots: Where a file has moved from one root to another under the same key.
    """

    loads: list[LandedFile] = field(default_factory=list)
    copies: list[Copy] = field(default_factory=list)
    moves: list[Move] = field(default_factory=list)
    replaced: list[int] = field(default_factory=list)
    left_out: list[int] = field(default_factory=list)
    corrected: list[tuple[str, str]] = field(default_factory=list)
    renumbered: dict[int, int] = field(default_factory=dict)
    unproven: dict[int, tuple[str, Roots]] = field(default_factory=dict)
    moved_roots: set[Roots] = field(default_factory=set)


@dataclass(slots=True)
class FoundContents:
    """What the batches of a load have found so far.

    Attributes:
        moved: Files that have moved: from where, to where.
        corrected: As in :class:`Decision`.
        copies: Copies, and the file that stands for each.
        files_read: How many files were read.
        unproven: As in :class:`Decision`.
        moved_roots: As in :class:`Decision`.
    """

    moved: list[tuple[str, str]] = field(default_factory=list)
    corrected: list[tuple[str, str]] = field(default_factory=list)
    copies: list[tuple[str, str]] = field(default_factory=list)
    files_read: int = 0
    unproven: dict[int, tuple[str, Roots]] = field(default_factory=dict)
    moved_roots: set[Roots] = field(default_factory=set)

    def add(self, decision: Decision, files_read: int) -> None:
        """Add what a committed batch has found."""
        self.moved += [(move.file.uri, move.item.uri) for move in decision.moves if move.renamed]
        self.copies += [(copy.landed.file.item.uri, copy.uri) for copy in decision.copies]
        self.corrected += decision.corrected
        self.files_read += files_read
        self.moved_roots |= decision.moved_roots
        self.unproven |= decision.unproven
        for number in [*decision.replaced, *(move.file.file_id for move in decision.moves)]:
            self.unproven.pop(number, None)


@dataclass(frozen=True, slots=True)
class Known:
    """What is known before a batch is decided on.

    Attributes:
        files: The ledger's.
        sources: What the lake lists.
        reload: URIs of files that are loaded again whatever they hold.
        is_gone: Tells whether there is nothing below a root any more.
        found: What the batches before it have found.
    """

    files: Sequence[LedgerFile] = ()
    sources: Sequence[Source] = ()
    reload: frozenset[str] = frozenset()
    is_gone: Callable[[str], bool] = lambda _root: False
    found: FoundContents = field(default_factory=FoundContents)

    @property
    def has_events(self) -> bool:
        """Whether the warehouse holds records of the kind that fills the fact table."""
        facts = {kind.name for kind in KINDS if kind.fact}
        return any(file.state == "loaded" and file.kind in facts for file in self.files)

    def has_moved(self, uris: Container[str], decision: Decision) -> bool:
        """Tell whether one of these files has moved, in this batch or in one before it."""
        moved = [uri for uri, _ in self.found.moved]
        moved += [move.file.uri for move in decision.moves if move.renamed]
        return any(uri in uris for uri in moved)


def decide(
    landed: Sequence[LandedFile], known: Known, same: Mapping[int, LedgerFile] | None = None
) -> Decision:
    """Decide what becomes of the files that have landed, and of those in the ledger with their contents.

    Args:
        landed: The files of the batch.
        known: What is known besides.
        same: For the numbers of landed files, the files of the ledger that they are although it does not have
            their contents.
    """
    decision = Decision()
    for name in dict.fromkeys([each.file.source.kind.name for each in landed] + _kinds_with_copies(known)):
        mine = [each for each in landed if each.file.source.kind.name == name]
        _Deciding(name, mine, known, same or {}, decision).carry_out()
    _replace_former(decision, known)
    return decision


def _kinds_with_copies(known: Known) -> list[str]:
    """Return the kinds of which a copy may take its original's place without anything being read."""
    listed = {source.kind.name for source in known.sources}
    return sorted({file.kind for file in known.files if file.state == "copy"} & listed)


class _Deciding:
    """One kind of files."""

    def __init__(
        self,
        kind: str,
        landed: Sequence[LandedFile],
        known: Known,
        same: Mapping[int, LedgerFile],
        decision: Decision,
    ) -> None:
        self._kind = kind
        self._landed = landed
        self._known = known
        self._decision = decision
        self._same = {same[each.file.file_id].file_id: each for each in landed if each.file.file_id in same}
        self._rows = [file for file in known.files if file.kind == kind]
        self._at = {file.uri: file for file in self._rows}
        self._read = {each.file.item.uri: each for each in landed}
        self._listed = listed_objects(known.sources, kind)
        # Whoever calls without a listing lists what has landed.
        self._listed |= {uri: each.file.item for uri, each in self._read.items()}
        # The owner that a place has from now on.
        self._owners: dict[str, LedgerFile] = {}
        self._moved: set[int] = set()
        self._taken = {file.file_id for file in known.files} | {each.file.file_id for each in landed}

    def carry_out(self) -> None:
        holders = self._holders()
        self._find_owners(holders)
        first: dict[str, str] = {}
        for each in self._landed:
            content, uri = each.content, each.file.item.uri
            if content:
                first[content] = min(uri, first.get(content, uri))
        by_content = {self._content(file): uri for uri, file in self._owners.items()}
        for each in self._landed:
            uri, content = each.file.item.uri, each.content
            owner = self._owners.get(uri)
            reload = owner is not None and owner.uri == uri and uri in self._known.reload
            if owner is not None and not reload:
                self._leave_out(each)
                self._supersede(each, owner)
            elif content and not reload and (of := by_content.get(content, first[content])) != uri:
                self._leave_out(each)
                self._supersede(each)
                self._decision.copies.append(Copy(self._numbered(each), of))
            else:
                self._supersede(each)
                self._decision.loads.append(self._numbered(each))

    def _holders(self) -> Mapping[str, list[str]]:
        """Return the places that hold each content, in order.

        A loaded file that is read in a later batch is taken to hold what it held: where it does not, a copy
        takes its rows over then.
        """
        contents = {
            uri: file.content
            for uri, file in self._at.items()
            if (item := self._listed.get(uri))
            and (file.state != "copy" or file.is_version(item.size, item.version))
        }
        contents |= {each.file.item.uri: each.content for each in self._landed}
        holders = defaultdict(list)
        for uri, content in sorted(contents.items()):
            if content:
                holders[content].append(uri)
        for file_id, each in self._same.items():
            if not each.content:
                holders[f"{file_id}"].append(each.file.item.uri)
        return holders

    def _content(self, file: LedgerFile) -> str | None:
        """Return the content of a file of the ledger, or what stands for it where it has none."""
        each = self._same.get(file.file_id)
        return file.content if each is None else each.content or f"{file.file_id}"

    def _home(self, file: LedgerFile) -> str:
        each = self._same.get(file.file_id)
        return file.uri if each is None else each.file.item.uri

    def _find_owners(self, holders: Mapping[str, list[str]]) -> None:
        """Find the place of every file of the ledger whose content is held anywhere."""
        own = [file for file in self._rows if file.state != "copy" and self._content(file) in holders]
        at_home = [file for file in own if self._home(file) in holders[self._content(file) or ""]]
        stays = {file.file_id for file in at_home}
        for file in [*at_home, *(file for file in own if file.file_id not in stays)]:
            places = [place for place in holders[self._content(file) or ""] if place not in self._owners]
            if places:
                home = self._home(file)
                self._settle(file, home if home in places else places[0])

    def _settle(self, file: LedgerFile, uri: str) -> None:
        self._owners[uri] = file
        item = self._listed[uri]
        landed = self._read.get(uri)
        if uri == file.uri:
            if landed and uri not in self._known.reload:
                self._decision.moves.append(Move(file, item, landed.content))
            return
        self._moved.add(file.file_id)
        content = landed.content if landed else file.content
        move = Move(file, item, content)
        self._decision.moves.append(move)
        if roots := _roots(file.uri, item, self._kind):
            self._decision.moved_roots.add(roots)
        copy = self._at.get(uri)
        if copy and landed is None:
            self._decision.replaced.append(copy.file_id)  # it is no copy any more

    def _leave_out(self, each: LandedFile) -> None:
        self._decision.left_out.append(each.file.file_id)

    def _supersede(self, each: LandedFile, owner: LedgerFile | None = None) -> None:
        """Have the rows of a changed file go, unless its former content stays, here or elsewhere."""
        number = each.file.file_id
        stays = number in self._moved or (owner is not None and owner.file_id == number)
        if each.file.replaces and not stays:
            self._decision.replaced.append(number)

    def _numbered(self, each: LandedFile) -> LandedFile:
        """Return a file with a number that no other has: its own may have gone with its former content."""
        if each.file.file_id not in self._moved:
            return each
        number = choose_file_id(each.file.source, each.file.item, self._taken)
        self._decision.renumbered[each.file.file_id] = number
        return each._replace(file=each.file._replace(file_id=number, replaces=False))


def _roots(uri: str, item: LakeObject, kind: str) -> Roots | None:
    """Return from where to where a file has moved, if its key stayed; None if it did not."""
    end = f"/{item.key}"
    former, root = uri.removesuffix(end), item.uri.removesuffix(end)
    return (kind, former, root) if uri.endswith(end) and former != root else None


def _replace_former(decision: Decision, known: Known) -> None:
    """Let corrected files of a lake that has moved replace what was loaded under their keys before.

    That it has moved is shown by a file that did, under the same key from the same root, or by the root being
    gone. Otherwise there may be two lakes: both files stay.
    """
    moved = {move.file.file_id for move in decision.moves}
    listed = {uri for kind in _kinds(known) for uri in listed_objects(known.sources, kind)}
    former = {
        file.file_id: file
        for file in known.files
        if file.state == "loaded" and file.uri not in listed and file.file_id not in moved
    }
    proven = decision.moved_roots | known.found.moved_roots
    for number, (uri, roots) in known.found.unproven.items():
        if roots in proven and number in former:
            decision.replaced.append(number)
            decision.corrected.append((former.pop(number).uri, uri))
    by_name: dict[tuple[str, str], list[LedgerFile]] = defaultdict(list)
    uris = {file.uri for file in known.files}
    new = [at for at, each in enumerate(decision.loads) if each.file.item.uri not in uris] if former else []
    if new:
        for file in former.values():
            by_name[file.kind, file.uri.rpartition("/")[2]].append(file)
    # The longest key first: it fits the fewest.
    for at in sorted(new, key=lambda at: -len(decision.loads[at].file.item.key)):
        each = decision.loads[at]
        item, source = each.file.item, each.file.source
        below = source.store.uri.rstrip("/") + "/"
        found = [
            (file, between)
            for file in by_name[source.kind.name, item.key.rpartition("/")[2]]
            if file.file_id in former
            and not file.uri.startswith(below)
            and (between := _roots(file.uri, item, source.kind.name))
        ]
        found.sort(key=lambda pair: (pair[1] not in proven, -pair[0].run_id, pair[0].file_id))
        shown = next((pair for pair in found if pair[1] in proven or known.is_gone(pair[1][1])), None)
        if shown is None:
            decision.unproven |= {file.file_id: (item.uri, between) for file, between in found}
            continue
        file, _ = shown
        del former[file.file_id]
        decision.unproven.pop(file.file_id, None)
        decision.replaced.append(file.file_id)
        decision.corrected.append((file.uri, item.uri))
        decision.renumbered[each.file.file_id] = file.file_id
        planned = each.file._replace(file_id=file.file_id, replaces=True)
        decision.loads[at] = each._replace(file=planned)


def _kinds(known: Known) -> list[str]:
    return [source.kind.name for source in known.sources]


def settle(engine: Engine, landing: Landing, known: Known) -> tuple[Landing, Decision]:
    """Decide on what has landed, and leave in the run's tables what is loaded.

    Args:
        engine: Open for writing.
        landing: What has landed.
        known: What is known besides.

    Returns:
        What is loaded, and what becomes of the rest.
    """
    decision = decide(landing.files, known, _recognise(engine, landing.files, known))
    if decision.left_out:
        unland(engine, decision.left_out)
    if decision.renumbered:
        _list_moves(engine, ["file_id", "new_file_id"], list(decision.renumbered.items()))
        for kind in dict.fromkeys(each.file.source.kind for each in decision.loads):
            engine.execute(statements_of(kind).renumber)
        engine.execute(statement("run/no_moves.sql"))
    if decision.left_out or decision.renumbered:
        landing = landing.without(decision.left_out, decision.loads)
    return landing, decision


def _recognise(engine: Engine, landed: Sequence[LandedFile], known: Known) -> dict[int, LedgerFile]:
    """Find landed files in the ledger that were loaded before contents were kept.

    By kind, relative key and size; then by their rows in staging, or, of a retracted file, which has none, by
    how many records were read and rejected.
    """
    pairs = _may_be(landed, known)
    if not pairs:
        return {}
    loaded = [(each, file) for each, file in pairs if file.state == "loaded"]
    rows = [(each.file.file_id, file.file_id) for each, file in loaded]
    others = set()
    if rows:
        _list_moves(engine, ["file_id", "new_file_id"], rows)
        for kind in dict.fromkeys(each.file.source.kind for each, _ in loaded):
            others |= set(engine.execute(statements_of(kind).other_rows))
        engine.execute(statement("run/no_moves.sql"))
    same: dict[int, LedgerFile] = {}
    taken: set[int] = set()
    moved_roots: set[Roots | None] = {*known.found.moved_roots}
    for each, file in sorted(pairs, key=lambda pair: pair[0].rows_read == 0):
        number = each.file.file_id
        equal = (each.rows_read, len(each.rejects)) == (file.rows_read, file.rows_rejected)
        roots = _roots(file.uri, each.file.item, file.kind)
        # Files without records are all alike: one has moved if its lake has.
        if (
            equal
            and (each.rows_read or roots in moved_roots or (roots and known.is_gone(roots[1])))
            and (number, file.file_id) not in others
            and number not in same
            and file.file_id not in taken
        ):
            same[number] = file
            taken.add(file.file_id)
            moved_roots.add(roots)
    return same


def _may_be(landed: Sequence[LandedFile], known: Known) -> list[tuple[LandedFile, LedgerFile]]:
    """Return the pairs of a new file and one of the ledger without a content that it may be."""
    uris = {file.uri for file in known.files}
    listed = {uri for kind in _kinds(known) for uri in listed_objects(known.sources, kind)}
    by_name: dict[tuple[str, int, str], list[LedgerFile]] = defaultdict(list)
    for file in known.files:
        if file.content is None and file.state != "copy" and file.uri not in listed:
            by_name[file.kind, file.size, file.uri.rpartition("/")[2]].append(file)
    return [
        (each, file)
        for each in sorted(landed, key=lambda each: -len(each.file.item.key))
        if by_name and each.file.item.uri not in uris
        for file in by_name[_likely_name(each)]
        if file.uri.endswith(f"/{each.file.item.key}")
    ]


def _likely_name(each: LandedFile) -> tuple[str, int, str]:
    item = each.file.item
    return each.file.source.kind.name, item.size, item.key.rpartition("/")[2]


def write_contents(engine: Engine, run_id: int, decision: Decision) -> None:
    """Write new names and copies into the ledger; what they supersede has gone."""
    if decision.moves:
        columns = ["file_id", "run_id", "uri", "size", "version", "content"]
        rows = [
            (
                move.file.file_id,
                move.file.run_id,
                move.item.uri,
                move.item.size,
                move.item.version,
                move.content,
            )
            for move in decision.moves
        ]
        _list_moves(engine, columns, rows)
        engine.execute(statement("ledger/move_files.sql"))
        if any(move.renamed and move.file.rows_rejected for move in decision.moves):
            engine.execute(statement("ledger/move_rejects.sql"))
        if any(move.file.reason for move in decision.moves):
            engine.execute(statement("ledger/resolve_moved.sql"), run_id=run_id)
        engine.execute(statement("run/no_moves.sql"))
    copies = [
        FileRecord(
            file_id=each.file.file_id,
            run_id=run_id,
            kind=each.file.source.kind.name,
            uri=each.file.item.uri,
            size=each.file.item.size,
            version=each.file.item.version,
            state="copy",
            rows_read=each.rows_read,
            rows_loaded=0,
            rows_rejected=0,
            plays_loaded=0,
            content=each.content,
        )
        for each in (copy.landed for copy in decision.copies)
    ]
    record(engine, "etl.files", copies)


def _list_moves(engine: Engine, columns: Sequence[str], rows: Sequence[tuple[object, ...]]) -> None:
    engine.insert("run_moves", columns, rows)
