-- Who comes back
-- People of a cohort who were there so many weeks later; the latest 26 weeks of cohorts in the range, 26
-- weeks on at most. A cohort is everybody whose first event of all (cohort_by first_event), or whose
-- registration (registration), lies in the week from that Monday on. weeks_later 0 is the week itself. The
-- last week of all may still go on.
SELECT
    r.cohort_by,
    r.cohort,
    r.cohort_people,
    r.weeks_later,
    r.people
FROM analytics.retention AS r
WHERE
    r.cohort >= CAST(DATE_TRUNC('week', :cohorts_since) AS DATE) AND r.cohort < CAST(:until AS DATE)
    AND r.weeks_later <= 26
ORDER BY r.cohort_by, r.cohort, r.weeks_later;
