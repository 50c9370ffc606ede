"""The database: engines that run our SQL, the dialect, and the fields of the files it holds.

Engines know how to connect, land files and run statements; what to run and in which order is the
pipeline's business.
"""
