"""`sparkify why`: where a play came from, and why it matches a song or none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from sparkify.cli.commands import Subcommand
from sparkify.cli.options import json_option, open_warehouse, settings_from, warehouse_options
from sparkify.cli.screen import Screen
from sparkify.errors import Command, ConfigError, Hint
from sparkify.text import counted, visible

if TYPE_CHECKING:
    from sparkify.intake.record_places import RecordPlace
    from sparkify.pipeline.near_misses import CatalogueSong, NearMiss, Played
    from sparkify.pipeline.origin import Delivery, Play

_LARGEST = 2**63 - 1


@click.command(cls=Subcommand)
@click.argument("songplay_id", required=False, type=click.IntRange(0, _LARGEST))
@click.option("--song", metavar="TITLE", help="Explain this title instead of a play.")
@click.option("--artist", metavar="NAME", help="And this artist.")
@click.option("--length", type=click.FloatRange(min=0), metavar="SECONDS", help="And this length.")
@click.option("--limit", type=click.IntRange(min=1), default=5, show_default=True, help="Songs to show.")
@warehouse_options
@json_option
def why(
    songplay_id: int | None,
    song: str | None,
    artist: str | None,
    length: float | None,
    limit: int,
    as_json: bool,
    **options: Any,
) -> None:
    """Show where a play came from, and why it matches a song or none.

    A play matches a song of exactly its title and artist, the nearest in length. Where there is none, the
    nearest songs of the catalogue are shown, with what differs in each. Where the play came from is read
    again from its files.

    \b
    Example:
      sparkify why --song hello --artist Adele
      sparkify why 42
    """
    from sparkify.pipeline.catalogue_search import find_matching, find_near_misses
    from sparkify.pipeline.near_misses import Played
    from sparkify.pipeline.origin import find_deliveries, find_lines, find_play
    from sparkify.warehouse.connect import require

    if (songplay_id is None) == (song is None and artist is None and length is None):
        raise click.UsageError("Give the id of a play, or --song and --artist.")
    if songplay_id is None and not (song and artist):
        raise click.UsageError("Give --song and --artist: a song is matched by both.")
    settings = settings_from(options)
    screen = Screen(as_json)
    engine = open_warehouse(settings, options)
    play: Play | None = None
    played: Played | None = None
    matching: CatalogueSong | None = None
    deliveries: list[Delivery] = []
    near: list[NearMiss] = []
    try:
        with engine.reading() as exists, screen.progress("asking the warehouse") as progress:
            require(engine, exists=exists)
            if songplay_id is not None:
                play, matching = find_play(engine, songplay_id)
                deliveries = find_deliveries(engine, play)
                if play.song and play.artist:
                    played = Played(play.song, play.artist, play.length)
            elif song and artist:
                played = Played(_stored(song, "--song"), _stored(artist, "--artist"), length)
                matching = find_matching(engine, played)
            if played and not matching:
                near = find_near_misses(engine, played, limit, progress)
    finally:
        engine.close()
    if play:
        with screen.progress("reading the files again"):
            find_lines(deliveries, play, settings.aws)
        _show_play(screen, play)
        _show_deliveries(screen, deliveries, play)
    match = _match_of(play, played, matching)
    _show_match(screen, played, matching, match)
    if played and not matching:
        _show_near_misses(screen, near)
    screen.result(
        {
            "play": play._asdict() if play else None,
            "deliveries": [_delivery(each, play) for each in deliveries if play],
            "match": _match(match, matching, played.length) if matching and played else None,
            "candidates": [_candidate(each) for each in near],
        }
    )


def _stored(text: str, option: str) -> str:
    """Return a title or name from the command line as the warehouse stores one.

    Raises:
        ConfigError: The warehouse cannot hold it.
    """
    try:
        text.encode()
    except UnicodeEncodeError as exc:
        raise ConfigError(f"{option} is not UTF-8.", "Give it in a terminal that writes UTF-8.") from exc
    return text.rstrip(" ")


def _match_of(play: Play | None, played: Played | None, song: CatalogueSong | None) -> str | None:
    """Return how a song matches: as the warehouse has it for a play, else by the same rule."""
    from sparkify.pipeline.near_misses import SAME_LENGTH, longer_by

    if play:
        return play.song_match
    if not (played and song):
        return None
    longer = longer_by(played.length, song.duration)
    return "title_artist" if longer is None or abs(longer) > SAME_LENGTH else "exact"


def _show_play(screen: Screen, play: Play) -> None:
    when = play.start_time.isoformat(sep=" ", timespec="milliseconds")
    screen.say(
        f"Play {play.songplay_id}: {when} UTC, user {visible(play.user_id)}, session {play.session_id}, "
        f"item {play.item_in_session}"
    )
    screen.show(f"  title   {_quoted(play.song)}")
    screen.show(f"  artist  {_quoted(play.artist)}")
    screen.show(f"  length  {_seconds(play.length)}")


def _show_deliveries(screen: Screen, deliveries: Sequence[Delivery], play: Play) -> None:
    records = sum(each.records for each in deliveries)
    screen.say(
        f"It was delivered {counted(records, 'time')}, and counts once:" if records > 1 else "It came from:"
    )
    differ = not all(each.has_values for each in deliveries) or not all(
        play.has(place.values) for each in deliveries for place in each.places
    )
    for each in deliveries:
        screen.show(f"  {visible(each.uri)} (run {each.run_id:,})")
        for place in each.places:
            values = f", with {'its' if play.has(place.values) else 'other'} values" if differ else ""
            screen.show(f"    {_where(place)}{values}")
        if each.why:
            screen.say(f"    {visible(each.why)}", hang=2)
        if differ and not each.places:
            screen.show(f"    with {'its' if each.has_values else 'other'} values")


def _where(place: RecordPlace) -> str:
    nth = f", record {place.nth_in_line:,} of the line" if place.nth_in_line > 1 else ""
    return f"line {place.line:,}{nth} (byte {place.byte_offset:,})"


def _show_match(screen: Screen, played: Played | None, song: CatalogueSong | None, match: str | None) -> None:
    from sparkify.pipeline.near_misses import compare_lengths

    if not played:
        screen.say("It matches no song: without a title and an artist there is nothing to match.")
    elif song:
        differs = compare_lengths(played.length, song.duration)
        unknown = played.length is None or song.duration is None
        length = "one length is not known" if unknown else differs[0].words if differs else "so is the length"
        screen.say(f"It matches a song ({match}): title and artist are the same, {length}.")
        screen.show(f"  {_song(song)}")
    else:
        screen.say("It matches no song: the catalogue has none of exactly that title and artist.")


def _show_near_misses(screen: Screen, near: Sequence[NearMiss]) -> None:
    screen.say("The nearest:" if near else "No song of it comes near.")
    for each in near:
        screen.show(f"  {_song(each.song)}")
        for difference in each.differences:
            screen.say(f"    - {visible(difference.words)}", hang=2)
        if not each.differences:
            screen.advise(Hint("    - nothing differs; {} matches it", Command("etl", "--full-refresh")))


def _song(song: CatalogueSong) -> str:
    return (
        f"{_quoted(song.title)} by {_quoted(song.artist_name)}, {_seconds(song.duration)} "
        f"({visible(song.song_id)})"
    )


def _quoted(text: str | None) -> str:
    return "unknown" if text is None else f'"{visible(text)}"'


def _seconds(length: float | None) -> str:
    return "unknown" if length is None else f"{length:g} s" if length == int(length) else f"{length} s"


def _delivery(each: Delivery, play: Play) -> dict[str, Any]:
    return {
        "uri": each.uri,
        "run_id": each.run_id,
        "loaded_at": each.loaded_at,
        "records": each.records,
        "has_values": each.has_values,
        "file": each.file,
        "why": each.why or None,
        "places": [
            {
                "line": place.line,
                "byte_offset": place.byte_offset,
                "size": place.size,
                "nth_in_line": place.nth_in_line,
                "has_values": play.has(place.values),
            }
            for place in each.places
        ],
    }


def _match(match: str | None, song: CatalogueSong, length: float | None) -> dict[str, Any]:
    from sparkify.pipeline.near_misses import longer_by

    return {"song_match": match, **song._asdict(), "longer_by": longer_by(length, song.duration)}


def _candidate(each: NearMiss) -> dict[str, Any]:
    return {**each.song._asdict(), "differences": [difference._asdict() for difference in each.differences]}
