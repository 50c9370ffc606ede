"""Which tests are fast, and how much a test of many examples does.

`make test` runs what is not marked ``thorough``, `make test-all` the rest too. A mark is on a module
(``pytestmark``), on a test, on all but a share of a sweep (:func:`sweep`), or on all but a share of what is
slow (:data:`FEWER`). Of every part of the system something is fast.

Tests that draw examples run in both, fewer of them in the fast one. ``HYPOTHESIS_PROFILE`` says how many:
``fast`` (the default, also of `make test-all`), ``thorough``, or ``release``, which takes hours.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import settings

PROFILES = ("fast", "thorough", "release")
PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "fast")
assert PROFILE in PROFILES, f"HYPOTHESIS_PROFILE is {PROFILE}, not one of {', '.join(PROFILES)}"


def by_profile(*numbers: int) -> int:
    """Return the number for this profile, of one each for fast, thorough and release."""
    return dict(zip(PROFILES, numbers, strict=True))[PROFILE]


def sweep(values: Iterable[Any], every: int) -> list[Any]:
    """Return a sweep's parameters: each ``every``-th is fast, from the first on; the others are thorough.

    A tuple is the values of several arguments.
    """
    values = list(values)
    for number, value in enumerate(values):
        if number % every:
            several = value if isinstance(value, tuple) else (value,)
            values[number] = pytest.param(*several, marks=pytest.mark.thorough)
    return values


# Hypothesis's own seeds (CI has fixed ones) stay; a test may say another number. No example is timed: other
# work on the machine would fail it.
settings.register_profile("sparkify", settings(max_examples=by_profile(20, 50, 1000), deadline=None))
settings.load_profile("sparkify")

# Of a folder or module ("") or one of its tests: how many cases there are for one that is fast; 0: none is. A
# second number says the same of those that are run before a release only. What names a case closest counts.
FEWER: dict[str, dict[str, int | tuple[int, int]]] = {
    "tests/cli/test_app.py": {"": 4},
    "tests/cli/test_closed_pipe.py": {"test_without_readers_a_command_works_and_exits_as_with_them": (16, 4)},
    "tests/cli/test_configuration.py": {"": 4},
    "tests/cli/test_compact.py": {"": (3, 2), "test_nothing_but_the_space_changes": 0},
    "tests/cli/test_export.py": {
        "": 10,
        "test_a_duckdb_file_has_all_tables_and_the_views_as_tables": 0,
        "test_a_duckdb_file_is_one_that_duckdb_1_4_reads": 0,
    },
    "tests/cli/test_demo.py": {"test_a_demo_that_fails_leaves_nothing": 0},
    "tests/cli/test_on_redshift.py": {
        "": (4, 2),
        "test_what_is_mended_and_taken_out_comes_to_the_same": 0,
        "test_the_missions_scripts_load_the_real_month": 0,
    },
    "tests/cli/test_query.py": {
        "": 5,
        "test_a_query_changes_nothing_and_reads_no_other_file": 4,
        "test_the_code_tells_whatever_streams_there_are": 5,
    },
    "tests/cli/test_rejects.py": {"": 5, "test_replay_after_a_rule_was_mended": 0},
    "tests/cli/test_secrets.py": {"test_temporary_passwords_let_in_and_do_not_show": 2},
    "tests/cli/test_simulate.py": {
        "": 3,
        "test_what_makes_no_sense_exits_with_2_and_writes_nothing": 4,
    },
    "tests/cli/test_stopping.py": {
        "": (12, 2),
        "test_a_load_that_is_stopped_leaves_nothing": (0, 3),
        "test_a_signal_around_commit_is_told_as_what_it_meant": 0,
        "test_an_upgrade_that_is_stopped_can_be_done_again": 0,
        "test_what_takes_files_out_leaves_nothing_when_it_is_stopped": 0,
    },
    "tests/cli/test_takeout.py": {
        "": 6,
        "test_what_cannot_be_done_changes_nothing": 12,
    },
    "tests/cli/test_terminal.py": {"": 3, "test_wide_shows_on_a_terminal_what_a_pipe_has": 0},
    "tests/cli/test_why.py": {"": (8, 2)},
    "tests/cluster/test_closed_pipe.py": {
        "test_without_readers_a_command_works_and_exits_as_with_them": (0, 4),
    },
    "tests/cluster/test_commands.py": {
        "": 3,
        "test_create_writes_the_file_and_nothing_else_in_it": 0,
        "test_the_missions_walk_with_its_scripts_leaves_nothing": 0,
    },
    "tests/cluster/test_doctor.py": {"": 3},
    "tests/cluster/test_killed.py": {
        "": (4, 2),
        "test_create_killed_anywhere_is_continued": 3,
        "test_destroy_killed_anywhere_is_continued": 15,
    },
    "tests/cluster/test_network.py": {
        "": 3,
        "test_the_world_is_not_let_in_by_accident": 3,
    },
    "tests/cluster/test_permissions.py": {"": 3},
    "tests/cluster/test_serverless.py": {
        "": 3,
        "test_killed_after_each_call_it_is_continued": (0, 2),
    },
    "tests/custom/test_models.py": {
        "": (3, 2),
        "test_any_order_of_loads_gives_what_a_full_build_gives": (0, 2),
        "test_stopped_at_any_statement_all_is_as_before": (0, 2),
        "test_what_is_wrong_is_told_with_file_and_line_and_changes_nothing": (6, 2),
    },
    "tests/doctor/test_doctor_and_etl_agree.py": {
        "test_they_agree_on_changes_together_on_duckdb": 0,
        "test_they_agree_on_changes_together_on_redshift": (0, 0),
        "test_they_agree_on_every_change_of_a_good_configuration": (24, 8),
    },
    "tests/intake/test_fuzz.py": {
        "test_files_without_line_breaks_land_as_the_careful_reader_accepts_them": 0,
    },
    "tests/intake/test_rules.py": {
        "test_an_empty_text_and_none_are_the_same_unknown": 3,
        "test_nothing_of_an_array_file_is_passed_over": 3,
        "test_what_becomes_of_a_record_does_not_depend_on_its_neighbours": (12, 3),
    },
    "tests/lake/test_keys_of_any_kind.py": {"test_a_key_nobody_can_read_is_named_and_left_out": 4},
    "tests/pipeline/test_adopting.py": {
        "test_any_order_gives_what_the_oracle_says": 2,
        "test_the_engine_fills_what_the_careful_reader_fills": 2,
    },
    "tests/pipeline/test_attention.py": {
        "": 8,
        "test_a_clean_year_warns_of_nothing": (0, 2),
        "test_a_year_of_a_thousand_events_a_day_tells_each_defect": (0, 6),
    },
    "tests/pipeline/test_checks.py": {"": (40, 8)},
    "tests/pipeline/test_concurrency.py": {"": 5},
    "tests/pipeline/test_copies.py": {"": 3},
    "tests/pipeline/test_contents.py": {
        "": (6, 3),
        "test_the_lake_of_an_old_warehouse_moves_and_nothing_is_doubled": (0, 3),
    },
    "tests/pipeline/test_corpus.py": {
        "test_landed_alone": (12, 6),
        "test_landed_together_without_a_place_to_write_to": 0,
        "test_loaded_together_with_lines_of_17_mb": (0, 2),
        "test_loaded_alone": (6, 2),
    },
    "tests/pipeline/test_crash.py": {
        "test_killed_at_any_moment_loses_and_repeats_nothing": 0,
        "test_a_first_run_killed_at_any_moment_leaves_no_warehouse_or_a_whole_one": 0,
    },
    "tests/pipeline/test_diff.py": {"": 2},
    "tests/pipeline/test_dirty.py": {
        "": 0,
        "test_a_full_refresh_changes_nothing": 0,
        "test_totals": 2,
    },
    "tests/pipeline/test_dry_run.py": {
        "": 2,
        "test_fields_that_are_not_built_in_take_no_more_statements": 2,
    },
    "tests/pipeline/test_engines.py": {
        "test_both_engines_hold_the_same": 0,
        "test_from_a_bucket_too": (0, 3),
    },
    "tests/pipeline/test_erasure.py": {
        "test_plays_may_stay_without_the_person": 2,
        "test_so_they_are_on_redshift": 0,
    },
    "tests/pipeline/test_faults.py": {
        "": 2,
        "test_a_fault_at_each_statement_is_passed_over": 0,
        "test_a_fault_that_stays_gives_up_and_the_next_run_finishes": 0,
        "test_so_it_is_where_files_are_replaced": (0, 3),
    },
    "tests/pipeline/test_fields.py": {"": 2},
    "tests/pipeline/test_joined.py": {"test_a_sound_file_without_line_breaks_is_read_fast": (6, 2)},
    "tests/pipeline/test_odd_places.py": {"test_a_folder_named_like_a_partition_is_a_folder": 3},
    "tests/pipeline/test_properties.py": {
        "test_histories_that_chance_meets_rarely": (0, 2),
        "test_on_redshift_too": 0,
    },
    "tests/pipeline/test_real_data.py": {
        "test_a_bucket_gives_the_same_rows_with_the_same_file_ids": 0,
        "test_a_full_refresh_gives_the_same_tables": 2,
        "test_any_order_and_split_gives_the_same_tables": 0,
        "test_a_second_run_loads_nothing_and_changes_nothing": 2,
        "test_batches_give_the_same_tables": 0,
        "test_compressed_logs_give_the_same_tables": 4,
        "test_the_month_in_one_file_gives_the_same_tables": (0, 3),
    },
    "tests/pipeline/test_resources.py": {"": 16},
    "tests/pipeline/test_retention.py": {
        "test_with_retain_each_load_does_it": 2,
        "test_so_they_are_on_redshift": 0,
    },
    "tests/pipeline/test_set_aside.py": {"": (16, 2)},
    "tests/pipeline/test_takeout.py": {
        "test_nothing_is_left_of_a_warehouse_that_is_taken_out_whole": 2,
        "test_what_is_left_is_what_a_fresh_load_of_the_remaining_files_gives": 0,
    },
    "tests/pipeline/test_transaction.py": {
        "": (12, 2),
        "test_batches_give_the_same_tables_as_one": 0,
        "test_the_comparison_sees_one_row_more_or_less": 0,
        "test_interrupted_anywhere_nothing_is_published": 0,
        "test_killed_a_run_leaves_the_old_warehouse_and_the_next_one_finishes": 8,
    },
    "tests/proof/test_prove.py": {
        "test_a_cluster_that_is_another_is_told_by_the_right_probe": (20, 0),
        "test_a_month_comes_to_the_same_as_on_duckdb": 0,
        "test_a_table_that_is_another_is_told": (0, 0),
    },
    "tests/report/test_dictionary.py": {"test_the_command_writes_both_pages": 0},
    "tests/report/test_numbers.py": {
        "test_they_equal_an_oracles": 4,
        "test_those_of_a_dirty_year_that_came_in_parts_equal_an_oracles": (0, 2),
    },
    "tests/simulator/test_dirt.py": {"": 3, "test_the_load_comes_to_exactly_the_truth": 0},
    "tests/simulator/test_fidelity.py": {"": 0},
    "tests/simulator/test_manifest.py": {
        "": 4,
        "test_an_earlier_simulation_is_replaced_and_what_lies_elsewhere_stays": 4,
        "test_what_is_in_the_way_and_not_of_a_simulation_is_named_and_nothing_is_removed": 7,
    },
    "tests/simulator/test_run.py": {"": 8},
    "tests/warehouse/test_duckdb_errors.py": {"": 3},
    "tests/warehouse/test_duckdb_new_file.py": {"": 3},
    "tests/warehouse/test_fixtures.py": {"": 3},
    "tests/warehouse/test_redshift_landing.py": {"": 3},
    "tests/warehouse/test_redshift_login.py": {"": 3},
    "tests/warehouse/test_redshift_sql.py": {"": 0, "test_sqlfluff_knows_every_statement": (0, 0)},
    "tests/warehouse/test_redshift_stream.py": {
        "": 3,
        "test_memory_does_not_grow_with_the_answer": 0,
    },
    "tests/test_api.py": {"": 3},
    "tests/test_notebook.py": {"": 0},
    "tests/test_benchmarks.py": {"test_the_script_fills_the_same_tables": 0},
    "tests/warehouse/test_version.py": {"": 6},
    "tests/warehouse/test_views.py": {"test_views_of_the_real_month": 0},
    "tools/redshift_double/tests": {"": 3},
    "tools/redshift_double/tests/test_by_hand.py": {"test_the_page_is_right_as_it_stands": 0},
}

# What takes longest, longest first: one that is begun last has one worker for itself while the other waits.
LONGEST = (
    "test_the_demo_runs_and_the_pipeline_keeps_its_promises_on_every_python_we_name",
    "test_killed_at_any_statement_an_upgrade_leaves_the_old_warehouse_and_is_done_again",
    "test_loaded_together_with_lines_of_17_mb",
    "test_the_lowest_versions_we_name_load_from_s3_into_both_warehouses",
    "test_those_of_a_dirty_year_that_came_in_parts_equal_an_oracles",
    "test_the_demo_installs_what_it_needs_and_what_it_prints_can_be_pasted",
    "test_a_first_run_killed_at_any_moment_leaves_no_warehouse_or_a_whole_one",
    "test_killed_at_any_moment_loses_and_repeats_nothing",
    "test_a_fault_at_each_statement_is_passed_over",
    "test_what_is_sent_is_the_committed_text",
    "test_files_without_line_breaks_land_as_the_careful_reader_accepts_them",
    "test_a_break_costs_the_record_it_is_in",
)


def longest_first(items: list[pytest.Item]) -> None:
    """Put what takes longest first; the others stay in their order."""
    ranks = {name: rank for rank, name in enumerate(LONGEST)}
    items.sort(key=lambda item: ranks.get(item.name.split("[", 1)[0], len(ranks)))


def mark_slow(items: Iterable[pytest.Item]) -> None:
    """Mark all but a share of the cases in :data:`FEWER` as thorough."""
    counts: Counter[str] = Counter()
    for item in items:
        module, test = item.nodeid.split("[", 1)[0].split("::", 1)
        folder = module.rpartition("/")[0]
        for place, name in ((module, test), (module, ""), (folder, "")):
            share = FEWER.get(place, {}).get(name)
            if share is not None:
                fast, often = share if isinstance(share, tuple) else (share, 1)
                number = counts[place + name]
                if not fast or number % fast:
                    item.add_marker(pytest.mark.thorough)
                    if PROFILE != "release" and (not often or number % often):
                        item.add_marker(pytest.mark.skip("before a release: HYPOTHESIS_PROFILE=release"))
                counts[place + name] += 1
                break
