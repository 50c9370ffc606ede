"""A person out of the warehouse for good, and out of what lands later."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from sparkify.custom.definitions import NO_MODELS, Models
from sparkify.errors import CheckError, Command, Hint, SparkifyError
from sparkify.pipeline.checks import all_checks, raise_failures, run_checks
from sparkify.pipeline.erased import (
    NAMING,
    USER,
    Erased,
    Glimpse,
    anonymous_id,
    hashed,
    look_at,
    may_hold,
    names_in,
    new_key,
    readable,
)
from sparkify.pipeline.landing import LandedFile, Landing
from sparkify.pipeline.progress import ShowProgress
from sparkify.pipeline.removal import FORGET, Change, as_run
from sparkify.pipeline.scope import FIRST, Piece, Scope, parameters
from sparkify.pipeline.transform import build_own, compute_days, count_plays, find_scope, transform
from sparkify.records import EVENTS
from sparkify.text import counted
from sparkify.warehouse.connect import require
from sparkify.warehouse.derived import shared_statements
from sparkify.warehouse.engine import Engine
from sparkify.warehouse.ledger import (
    ERASED_SINCE,
    ErasedRecord,
    LedgerFile,
    Meta,
    RunRecord,
    current_files,
    read_erased,
    read_meta,
    read_models,
)
from sparkify.warehouse.statements import read_statements, statement
from sparkify.warehouse.version import changed_models, today, write_meta

Names = dict[str, set[tuple[str, str]]]


class ErasedReject(NamedTuple):
    """A rejected record that goes: its key, and the URI of its file."""

    file_id: int
    run_id: int
    byte_offset: int
    uri: str


@dataclass(frozen=True, slots=True)
class FoundPeople:
    """What the warehouse holds of people.

    Attributes:
        events: How many events each has, by id.
        plays: How many of these are plays.
        rejects: How many rejected records hold one of them.
        files: The files of the lake that hold them, copies included.
        unknown: How many files nobody knows that of: retracted, or set aside.
        forgotten: Who is forgotten already, by id, and whether their plays stay.
    """

    events: dict[str, int] = field(default_factory=dict)
    plays: int = 0
    rejects: int = 0
    files: list[str] = field(default_factory=list)
    unknown: int = 0
    forgotten: dict[str, bool] = field(default_factory=dict)

    def is_done(self, *, keep_plays: bool) -> bool:
        """Tell whether all of them are forgotten already, as they should be, and nothing is left of them."""
        left = any(self.events.values()) or self.rejects
        return not left and all(
            each in self.forgotten and (keep_plays or not self.forgotten[each]) for each in self.events
        )

    @property
    def nobody(self) -> list[str]:
        """The ids of whom there is nothing, and never was as far as the warehouse knows."""
        if self.rejects:  # it is not noted whose they are
            return []
        return [each for each, count in self.events.items() if not count and each not in self.forgotten]


def verify_models(engine: Engine, models: Models) -> None:
    """Raise if the warehouse has rows of a model of the user's that cannot be computed anew.

    Raises:
        SparkifyError: Its file is not there: what it holds of a person would stay.
    """
    there = {each.name for each in models.models}
    stored = [each.model for each in read_models(engine) if each.relation == "table"]
    kept = [name for name in stored if name not in there]
    if kept:
        raise SparkifyError(
            f"{', '.join(kept)} may hold what is to be erased, and there is no file of "
            f"{'it' if len(kept) == 1 else 'them'} to compute {'it' if len(kept) == 1 else 'them'} by.",
            Hint(
                "Nothing was changed. Set [DWH] MODELS to the folder of your models; {} drops those without "
                "a file.",
                Command("etl", "--yes"),
            ),
        )


def verify_version(engine: Engine) -> None:
    """Raise if the open warehouse is of a version that cannot keep what is erased.

    Raises:
        SparkifyError: It is.
    """
    meta = read_meta(engine) or Meta()
    if meta.schema_version < ERASED_SINCE:
        raise SparkifyError(
            f"{engine.place} is of version {meta.schema_version}, which cannot keep what is erased.",
            Hint("Nothing was changed. Run {} first.", Command("upgrade")),
        )


def find_people(engine: Engine, ids: Sequence[str], models: Models = NO_MODELS) -> FoundPeople:
    """Return what there is of people; nothing is changed, and no statement names one.

    Args:
        engine: The warehouse.
        ids: Their user ids.
        models: The user's own models.

    Raises:
        EngineError: There is no warehouse.
        SparkifyError: As :func:`verify_models`.
    """
    # Another key than the warehouse's: statements, which databases log, show this one.
    key = new_key()
    by_digest = {hashed(key, each): each for each in ids}
    _run(engine, "erase/sought.sql")
    engine.insert("run_sought", ["digest"], [(digest,) for digest in by_digest])
    with engine.reading() as exists:
        require(engine, exists=exists)
        verify_version(engine)
        verify_models(engine, models)
        counts = engine.execute(statement("erase/find_people.sql"), hash_key=key)
        names: Names = defaultdict(set)
        for digest, _, *values, _, _ in counts:
            names[digest] |= _named(values)
        rejects = _find_rejects(engine, Erased(key, dict.fromkeys(by_digest, False)), names, ids)
        files = current_files(engine, read_meta(engine) or Meta())
        known = Erased.of(read_erased(engine))
    persons = _persons_of(ids, known, known.key)
    events = dict.fromkeys(ids, 0)
    for digest, *_, count, _ in counts:
        events[by_digest[digest]] += int(count)
    return FoundPeople(
        events,
        sum(int(row[-1]) for row in counts),
        len(rejects),
        _uris(files, {row[1] for row in counts}, rejects),
        sum(each.kind == EVENTS.name and each.state in ("retracted", "set_aside") for each in files),
        {each: known.people[person] for each, person in persons.items() if person in known.people},
    )


def _persons_of(ids: Iterable[str], known: Erased, key: str) -> dict[str, str]:
    """Return the hash of each id; the id under which plays stay stands for whose they were."""
    anonymous = {anonymous_id(person): person for person in known.people}
    return {each: anonymous.get(each) or hashed(key, each) for each in ids}


def _run(engine: Engine, *paths: str, **values: int) -> None:
    for path in paths:
        for step in read_statements(path):
            engine.execute(step, **values)


def _uris(files: Sequence[LedgerFile], numbers: set[int], rejects: Iterable[ErasedReject]) -> list[str]:
    """Return where the files lie, and copies of them."""
    rejecting = {each.file_id for each in rejects}
    holding = [each for each in files if each.file_id in numbers | rejecting]
    contents = {(each.kind, each.content) for each in holding if each.content}
    copies = [each for each in files if each.state == "copy" and (each.kind, each.content) in contents]
    return sorted({each.uri for each in [*holding, *copies]} | {each.uri for each in rejects})


def _named(values: Sequence[str | None]) -> set[tuple[str, str]]:
    named = zip(NAMING.values(), values, strict=True)
    return {(column, value.rstrip(" ")) for column, value in named if value and value.strip()}


def _find_rejects(
    engine: Engine, erased: Erased, names: Names, ids: Sequence[str] | None
) -> list[ErasedReject]:
    """Return the rejected records of every run that hold people; what names them is added to ``names``.

    ``ids`` are theirs: a record with none of them, nor a name, is not looked at closely. None: all are.
    """
    found: list[tuple[ErasedReject, Glimpse]] = []
    others: list[tuple[ErasedReject, str]] = []
    for (run_id,) in engine.execute(statement("erase/runs_with_rejects.sql")):
        for number, offset, uri, encoding, content, kind in engine.execute(
            statement("erase/rejects_of_run.sql"), run_id=run_id
        ):
            if kind in (EVENTS.name, None):
                reject, text = ErasedReject(number, run_id, offset, uri), readable(content, encoding)
                if ids is None or may_hold(text, ids):
                    found.append((reject, look_at(text)))
                else:
                    others.append((reject, text))
    for _, seen in found:
        # Of a stretch that holds several people it is not known whose names these are.
        if len(seen.users) == 1:
            for person in erased.persons_in(seen):
                names[person] |= seen.named
    values = {value for each in names.values() for _, value in each}
    found += [(reject, look_at(text)) for reject, text in others if may_hold(text, values)]
    digests: dict[str, frozenset[str]] = dict(erased.named)
    for person, named in names.items():
        for column, value in named:
            digest = hashed(erased.key, value, column)
            digests[digest] = digests.get(digest, frozenset()) | {person}
    knowing = replace(erased, named=digests)
    return [reject for reject, seen in found if knowing.persons_in(seen)]


def forget_people(
    engine: Engine,
    ids: Sequence[str],
    progress: ShowProgress,
    models: Models = NO_MODELS,
    *,
    keep_plays: bool = False,
) -> RunRecord:
    """Take people out of staging, the star, the user's models and the ledger, in one transaction.

    Hashes of them stay in ``etl.erased``, so that what lands later stays without them.

    Args:
        engine: The warehouse.
        ids: Their user ids.
        progress: Told what is done.
        models: The user's own models and checks.
        keep_plays: Whether their plays stay, under an id that says nothing of them.

    Returns:
        The record of this run.

    Raises:
        SparkifyError: As :func:`verify_models`; or a check failed, and nothing was changed.
    """

    def change(run_id: int, meta: Meta) -> Change:
        verify_models(engine, models)
        progress(label="removing rows")
        known = Erased.of(read_erased(engine))
        key = known.key or new_key()
        people = _note_people(engine, run_id, ids, known, key, keep_plays=keep_plays)
        erased = replace(known, key=key, people={**known.people, **people})
        _run(engine, "erase/run_tables.sql")
        *steps, keeping = read_statements("erase/forgotten_staged.sql")
        for step in steps:
            engine.execute(step)
        if engine.execute(keeping):
            _run(engine, "erase/kept_staged.sql")
        names: Names = defaultdict(set)
        for user, *values in engine.execute(statement("erase/names.sql")):
            names[hashed(key, user)] |= _named(values)
        # Of who was forgotten before, hashes are all there is to look for.
        sought = None if people.keys() & known.people.keys() else ids
        rejects = _find_rejects(engine, replace(erased, people=people), names, sought)
        _note_names(engine, run_id, known, key, {person: names[person] for person in people})
        engine.execute(statement("erase/count_gone.sql"))
        gone, plays_gone = take_note(engine, rejects)
        _blank_texts(engine, {*ids, *(value for each in names.values() for _, value in each)})
        _run(engine, "erase/people.sql")
        ((first,),) = engine.execute(statement("erase/first_run.sql"), run_id=run_id)
        scope = find_scope(engine).condensed()
        plays, matched, staged = bring_up_to_date(
            engine, scope, run_id, first, meta, models, progress, _take_out_of_star
        )
        return Change(
            rows_loaded=-gone,
            rows_rejected=-len(rejects),
            plays_loaded=-plays_gone,
            duplicates=staged - plays,
            songplays=plays,
            plays_matched=matched,
            rows_erased=gone + len(rejects),
        )

    return as_run(engine, [], FORGET, progress, change)


def _note_people(
    engine: Engine, run_id: int, ids: Sequence[str], known: Erased, key: str, *, keep_plays: bool
) -> dict[str, bool]:
    """Write into the ledger who is forgotten; return their hashes, and whether their plays stay.

    What was forgotten altogether stays so.
    """
    people = {
        person: keep_plays and known.people.get(person, True)
        for person in _persons_of(ids, known, key).values()
    }
    new = {person: keeps for person, keeps in people.items() if person not in known.people}
    record_erased(engine, run_id, [ErasedRecord(each, USER, each, keeps, key) for each, keeps in new.items()])
    for person, keeps in people.items():
        if known.people.get(person, False) and not keeps:
            engine.execute(statement("erase/not_any_more.sql"), person=person)
    return people


def _note_names(engine: Engine, run_id: int, known: Erased, key: str, names: Names) -> None:
    rows = [
        ErasedRecord(person, column, digest, None, key)
        for person, values in names.items()
        for column, value in sorted(values)
        if person not in known.named.get(digest := hashed(key, value, column), ())
    ]
    record_erased(engine, run_id, rows)


def record_erased(engine: Engine, run_id: int, rows: Sequence[ErasedRecord]) -> None:
    """Append to what the warehouse keeps out."""
    columns = ("run_id", *ErasedRecord._fields)
    engine.insert("etl.erased", columns, [(run_id, *row) for row in rows])


def take_note(engine: Engine, rejects: Sequence[ErasedReject]) -> tuple[int, int]:
    """Write the counts of what goes (``run_erased_files``) into the ledger, and take rejected records out.

    Returns:
        How many records of staging go, and how many of them are plays.
    """
    counts = engine.execute(statement("erase/erased_files.sql"))
    engine.execute(statement("erase/note_files.sql"))
    if rejects:
        engine.insert("run_erased_rejects", ErasedReject._fields[:3], [each[:3] for each in rejects])
        _run(engine, "erase/rejects.sql")
    return sum(int(row[1]) for row in counts), sum(int(row[2]) for row in counts)


def _blank_texts(engine: Engine, names: set[str]) -> None:
    """Have the ledger's texts that show one of these values say nothing."""
    of_checks, of_runs, of_files = read_statements("erase/texts.sql")
    blank_check, blank_run, blank_file = read_statements("erase/blank.sql")
    ours = {check.name for check in all_checks()}
    checks = {
        (run_id, name)
        for run_id, name, sample, subject in engine.execute(of_checks)
        if names_in(sample or "", names) or (name not in ours and names_in(subject or "", names))
    }
    for run_id, name in sorted(checks):
        engine.execute(blank_check, run_id=run_id, check_name=name, keeps_subject=name in ours)
    for run_id, error in engine.execute(of_runs):
        if names_in(error, names):
            engine.execute(blank_run, run_id=run_id)
    for file_id, run_id, detail in engine.execute(of_files):
        if names_in(detail, names):
            engine.execute(blank_file, file_id=file_id, run_id=run_id)


def _take_out_of_star(engine: Engine, progress: ShowProgress) -> tuple[int, int, int]:
    """Take out of the star what it knows by events that went (``run_gone``); staging is rid of them.

    Their plays and people are out already. What stays of plays comes in under the other id. Times, titles and
    days that had them are mended: those alone of which it is not certain that others keep them as they are.

    Returns:
        As :func:`count_plays`, of the plays that stay.

    Raises:
        CheckError: Of an event that stays there is not one play.
    """
    plays = matched = staged = 0
    if engine.execute(statement("erase/any_kept.sql")):
        _run(engine, "erase/kept_titles.sql", "star/song_matches.sql", "erase/kept_plays.sql")
        ((staged, events, plays, matched),) = engine.execute(statement("erase/count_kept.sql"))
        if events != plays:
            raise CheckError(
                f"no_fan_out failed: {counted(events, 'event')} without their person became "
                f"{counted(plays, 'play')}.",
                Hint("Nothing was changed. {} looks at all there is.", Command("check")),
            )
    _run(engine, "erase/times.sql")
    *steps, left = read_statements("erase/titles.sql")
    for step in steps:
        engine.execute(step)
    ((titles_from, titles_to),) = engine.execute(left)
    if titles_from is not None:
        _run(engine, "erase/lone_titles.sql", titles_from=titles_from, titles_to=titles_to)
    _mend_days(engine, progress)
    return int(plays), int(matched), int(staged)


def _mend_days(engine: Engine, progress: ShowProgress) -> None:
    """Compute those days of ``run_moments`` anew of which more may have changed than their numbers."""
    days = [int(row[0]) for row in engine.execute(statement("run/touched_days.sql"))]
    if not days:
        return
    span = parameters(Piece(days[0], days[-1]))
    ends, fields = (
        {int(row[0]) for row in engine.execute(step, **span)}
        for step in (statement("erase/settled_days.sql"), shared_statements().settled_fields)
    )
    compute_days(engine, Scope.of_midnights(day for day in days if day not in ends), progress)
    for piece in Scope.of_midnights(day for day in days if day in ends and day not in fields).pieces:
        engine.execute(shared_statements().absent, **parameters(piece))


def bring_up_to_date(
    engine: Engine,
    scope: Scope,
    run_id: int,
    first_run: int,
    meta: Meta,
    models: Models,
    progress: ShowProgress,
    mend: Callable[[Engine, ShowProgress], tuple[int, int, int]] | None = None,
) -> tuple[int, int, int]:
    """Bring the star and the user's models up to date with staging, and check all that was touched.

    Args:
        engine: The warehouse, open for writing.
        scope: The moments of what went.
        run_id: This run.
        first_run: The first run of whose files something went.
        meta: The version of the warehouse.
        models: The user's own models and checks.
        progress: Told what is done.
        mend: Does so with the star, and counts, where there is less to do than to compute the scope anew.

    Returns:
        As :func:`count_plays`.

    Raises:
        CheckError: A check failed.
    """
    refresh = bool(changed_models(meta))
    counts = None
    if refresh:
        scope = Scope.all()
    checked = scope
    if mend and not refresh:
        counts = mend(engine, progress)
        # At these moments nothing is computed anew: the files are looked at, and who refers to what is gone.
        checked = Scope()
    else:
        transform(engine, scope, progress)
    build_own(engine, models, scope, run_id, progress)
    progress(label="checking the data")
    run_from = 0 if refresh else first_run
    checks = run_checks(engine, checked, run_from=run_from, first_run=run_id, models=models, few_files=False)
    raise_failures(checks)
    if refresh:
        write_meta(engine, meta._replace(models_digest=today().models_digest))
    return counts or count_plays(engine, scope)


def erase_landed(engine: Engine, landing: Landing, erased: Erased) -> Landing:
    """Take what was erased out of what has landed: events of forgotten people, and those that are too old.

    Returns:
        The landing, with the counts of what is left.
    """
    logs = [each for each in landing.files if each.file.source.kind.name == EVENTS.name]
    before = erased.before or FIRST
    has_older = any(each.ts_from is not None and each.ts_from < before for each in logs)
    if not logs or not (erased.people or has_older):
        return landing
    _run(engine, "erase/run_tables.sql")
    if has_older:
        _run(engine, "erase/older_landed.sql", before_ts=before)
    if erased.people:
        _run(engine, "erase/forgotten_landed.sql", "erase/count_gone.sql")
    rows = engine.execute(statement("erase/erased_files.sql"))
    counts = {number: (int(gone), int(plays)) for number, gone, plays in rows}
    return replace(landing, files=[_without(each, counts, before) for each in landing.files])


def _without(file: LandedFile, counts: Mapping[int, tuple[int, int]], before: int) -> LandedFile:
    """Return what is left of a file."""
    gone, plays = counts.get(file.file.file_id, (0, 0))
    landed = file.landed - gone
    ts_from = max(file.ts_from, before) if landed and file.ts_from is not None else None
    ts_to = file.ts_to if landed else None
    return file._replace(
        landed=landed, plays=file.plays - plays, ts_from=ts_from, ts_to=ts_to, erased=file.erased + gone
    )
