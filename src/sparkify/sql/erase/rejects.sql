-- Take rejected records (run_erased_rejects) out; of the version of a file that had them they are erased now.
UPDATE etl.files SET
    rows_rejected = files.rows_rejected - e.gone,
    rows_erased = COALESCE(files.rows_erased, 0) + e.gone
FROM (
    SELECT r.file_id AS of_file, r.run_id AS of_run, COUNT(*) AS gone
    FROM run_erased_rejects AS r
    GROUP BY r.file_id, r.run_id
) AS e
WHERE files.file_id = e.of_file AND files.run_id = e.of_run;

DELETE FROM etl.rejects
USING run_erased_rejects
WHERE
    rejects.file_id = run_erased_rejects.file_id
    AND rejects.run_id = run_erased_rejects.run_id
    AND rejects.byte_offset = run_erased_rejects.byte_offset;
