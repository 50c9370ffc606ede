"""The SQL of the warehouse, in Redshift's dialect: one file per table, step or check; no Python.

``tables`` creates; ``run`` creates what one run needs; ``staging`` accepts and forgets rows; ``star``
computes the star from staging; ``checks`` return the rows that break a promise; ``ledger`` is what the
pipeline asks and records. A file's statements each end with ``;`` at the end of a line.
"""
