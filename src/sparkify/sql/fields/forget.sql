-- A field is adopted no more.
DELETE FROM etl.fields WHERE kind = :kind AND field = :field AND column_name = :column_name;
