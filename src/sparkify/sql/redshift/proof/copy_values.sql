-- As the product copies a file, but for MAXERROR: a value that COPY refuses is an answer.
COPY proof_values (name, value)
FROM :source
IAM_ROLE :role
FORMAT AS JSON :jsonpaths
MAXERROR 100000 COMPUPDATE OFF STATUPDATE OFF MANIFEST;
