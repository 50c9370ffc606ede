-- No stretch without an event is far longer than usual.
-- scope: days
-- severity: warn
-- Thresholds: longer than 3 hours and than any that ends in the 28 days with events before, at least 7; and
-- either twice as long and 3 hours longer, or in hours that are never silent: a day's last event is 4 hours
-- earlier than any of those days', or its first one 6 hours later. Holes among the 28 do not count as usual,
-- until one like them occurs a third time.
-- Looked at: stretches that end in a day of the run, or in the first day after; the one from the newest event
-- to the end of its day, once that day is over; and the one since the newest event when a load brings nothing
-- but empty logs, which are rare (empty_log), so that the next load, which ends it, meets no new cause.
-- A stretch between two days is named by its beginning, so that it stays the same hole until it ends.
WITH days AS (
    SELECT
        d.day,
        d.first_ts,
        d.last_ts,
        MOD(d.first_ts, 86400000) AS start_ms,
        MOD(d.last_ts, 86400000) AS end_ms,
        d.longest_gap_ms,
        d.gap_within_ms,
        COUNT(*) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS days_before,
        MAX(d.longest_gap_ms) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS longest_ms,
        MAX(MOD(d.first_ts, 86400000)) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS latest_start_ms,
        MIN(MOD(d.last_ts, 86400000)) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS earliest_end_ms
    FROM etl.days AS d
),

suspects AS (
    SELECT
        d.day,
        d.first_ts,
        d.last_ts,
        d.start_ms,
        d.end_ms,
        d.longest_gap_ms,
        d.gap_within_ms,
        d.days_before,
        CASE
            WHEN d.longest_gap_ms > 10800000 AND d.longest_gap_ms > 2 * d.longest_ms THEN 1
            WHEN d.longest_gap_ms > 10800000 AND d.start_ms > d.latest_start_ms + 21600000 THEN 1
            WHEN LAG(d.end_ms) OVER (ORDER BY d.day) < LAG(d.earliest_end_ms) OVER (ORDER BY d.day) - 14400000
                THEN 1
            ELSE 0
        END AS is_hole,
        CASE WHEN d.start_ms > d.latest_start_ms + 21600000 THEN 1 ELSE 0 END AS starts_late,
        CASE WHEN d.end_ms < d.earliest_end_ms - 14400000 THEN 1 ELSE 0 END AS ends_early
    FROM days AS d
),

usual AS (
    SELECT
        d.day,
        d.first_ts,
        d.last_ts,
        d.start_ms,
        d.end_ms,
        d.gap_within_ms,
        d.days_before,
        MAX(CASE WHEN d.days_before < 7 OR d.is_hole = 0 THEN d.longest_gap_ms END) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS usual_ms,
        MAX(CASE WHEN d.days_before < 7 OR d.starts_late = 0 THEN d.start_ms END) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS usual_start_ms,
        MIN(CASE WHEN d.days_before < 7 OR d.ends_early = 0 THEN d.end_ms END) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS usual_end_ms
    FROM suspects AS d
),

judged AS (
    SELECT
        u.first_ts,
        u.last_ts,
        u.gap_within_ms,
        u.usual_ms,
        u.days_before,
        LAG(u.last_ts) OVER (ORDER BY u.day) AS ts_before,
        LEAD(u.first_ts) OVER (ORDER BY u.day) AS ts_after,
        CASE WHEN u.start_ms > u.usual_start_ms + 21600000 THEN 1 ELSE 0 END AS starts_late,
        CASE WHEN u.days_before >= 7 AND u.end_ms < u.usual_end_ms - 14400000 THEN 1 ELSE 0 END AS ends_early,
        LAG(CASE WHEN u.days_before >= 7 AND u.end_ms < u.usual_end_ms - 14400000 THEN 1 ELSE 0 END)
            OVER (ORDER BY u.day) AS ended_early
    FROM usual AS u
),

touched AS (
    SELECT
        j.first_ts,
        j.last_ts,
        j.gap_within_ms,
        j.ts_before,
        j.ts_after,
        j.usual_ms,
        CASE WHEN j.starts_late = 1 OR j.ended_early = 1 THEN 1 ELSE 0 END AS unusual_start,
        j.ends_early AS unusual_end
    FROM judged AS j
    WHERE j.days_before >= 7
),

logs AS (
    SELECT
        COUNT(*) AS files,
        COUNT(CASE WHEN f.rows_read = 0 THEN 1 END) AS empty_files,
        COUNT(CASE WHEN f.run_id >= :first_run THEN 1 END) AS of_load,
        COUNT(CASE WHEN f.run_id >= :first_run AND f.rows_read = 0 THEN 1 END) AS empty_of_load
    FROM (
        SELECT run_id, rows_read
        FROM etl.files
        WHERE kind = 'events' AND state = 'loaded'
        ORDER BY run_id DESC, uri DESC
        LIMIT 30
    ) AS f
),

stretches AS (
    SELECT
        t.ts_before AS ts_from,
        t.first_ts AS ts_to,
        'between' AS kind,
        t.usual_ms,
        t.unusual_start AS unusual_hours
    FROM touched AS t
    WHERE
        t.first_ts BETWEEN :days_from AND :days_to
        OR (t.ts_before <= :days_to AND t.first_ts > :days_to)
    UNION ALL
    SELECT
        t.first_ts - MOD(t.first_ts, 86400000) AS ts_from,
        t.first_ts - MOD(t.first_ts, 86400000) + t.gap_within_ms AS ts_to,
        'within' AS kind,
        t.usual_ms,
        0 AS unusual_hours
    FROM touched AS t
    WHERE t.first_ts BETWEEN :days_from AND :days_to
    UNION ALL
    SELECT
        t.last_ts AS ts_from,
        t.last_ts - MOD(t.last_ts, 86400000) + 86400000 AS ts_to,
        'newest' AS kind,
        t.usual_ms,
        t.unusual_end AS unusual_hours
    FROM touched AS t
    WHERE
        t.ts_after IS NULL AND t.first_ts BETWEEN :days_from AND :days_to
        AND DATEADD(ms, t.last_ts - MOD(t.last_ts, 86400000) + 86400000, '1970-01-01'::TIMESTAMP) <= :now
    UNION ALL
    SELECT
        t.last_ts AS ts_from,
        t.last_ts + 86400000 AS ts_to,
        'empty' AS kind,
        t.usual_ms,
        1 AS unusual_hours
    FROM touched AS t
    WHERE
        t.ts_after IS NULL
        AND (SELECT l.empty_of_load FROM logs AS l WHERE l.empty_files * 10 < l.files) > 0
        AND (SELECT l.of_load - l.empty_of_load FROM logs AS l) = 0
),

holes AS (
    SELECT
        s.kind,
        LEFT(CAST(DATEADD(ms, s.ts_from, '1970-01-01'::TIMESTAMP) AS VARCHAR(32)), 16) AS since,
        LEFT(CAST(DATEADD(ms, s.ts_to, '1970-01-01'::TIMESTAMP) AS VARCHAR(32)), 16) AS until,
        LEFT(CAST(DATEADD(ms, s.ts_from + 86400000, '1970-01-01'::TIMESTAMP) AS VARCHAR(32)), 10) AS day_from,
        LEFT(CAST(DATEADD(ms, s.ts_to - 86400000, '1970-01-01'::TIMESTAMP) AS VARCHAR(32)), 10) AS day_to,
        CAST(CAST((s.ts_to - s.ts_from) / 3600000.0 AS DECIMAL(18, 1)) AS VARCHAR(20)) AS hours,
        CAST(CAST(s.usual_ms / 3600000.0 AS DECIMAL(18, 1)) AS VARCHAR(20)) AS usual_hours
    FROM stretches AS s
    WHERE
        s.ts_to - s.ts_from > 10800000 AND s.ts_to - s.ts_from > s.usual_ms
        AND (
            s.unusual_hours = 1
            OR (s.ts_to - s.ts_from > 2 * s.usual_ms AND s.ts_to - s.ts_from > s.usual_ms + 10800000)
        )
)

SELECT
    CASE WHEN h.kind = 'within' THEN LEFT(h.since, 10) ELSE h.since END AS subject,
    CASE
        WHEN h.kind = 'within' THEN 'no event for ' || h.hours || ' hours'
        WHEN h.kind = 'empty' THEN 'no event since, the logs loaded are empty'
        WHEN h.kind = 'newest' THEN 'no event for ' || h.hours || ' hours, to the end of the day'
        ELSE 'no event for ' || h.hours || ' hours, until ' || h.until
    END
    || CASE
        WHEN h.kind <> 'between' OR h.day_from > h.day_to THEN ''
        WHEN h.day_from = h.day_to THEN ', none on ' || h.day_from
        ELSE ', none from ' || h.day_from || ' to ' || h.day_to
    END
    || '; in the 28 days before, ' || h.usual_hours || ' hours at most' AS found
FROM holes AS h
ORDER BY subject;
