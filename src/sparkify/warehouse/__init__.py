"""The database: engines that run our SQL, the dialects, and the statements derived from the record fields.

Engines connect, land files and run statements. The pipeline decides which statements run, in which order.
"""
