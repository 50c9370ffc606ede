-- What is forgotten of a person altogether is not kept in part any more.
UPDATE etl.erased SET keeps_plays = FALSE WHERE person = :person;
