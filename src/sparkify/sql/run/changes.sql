-- What a run has to look at besides its moments: songs that came or went, people whose latest event went.
SELECT
    (SELECT COUNT(*) FROM run_changed_songs) AS songs,
    (SELECT COUNT(*) FROM run_lost_users) AS people;
