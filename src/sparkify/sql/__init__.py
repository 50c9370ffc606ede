"""The SQL of the warehouse, in Redshift's dialect: one file per table, step or check; no Python.

``tables`` creates; ``migrations`` bring older tables up to date; ``run`` creates what one run needs;
``touch`` notes what the star has to compute anew; ``star`` computes it from staging; ``checks`` return the
rows that break a rule; ``ledger`` is what the pipeline asks and records; ``doctor`` looks at privileges;
``questions`` are the demo's; ``redshift`` is for that engine alone. ``derived`` is generated from the
declaration of records (``make generate``). A file's statements each end with ``;`` at the end of a line.
"""
