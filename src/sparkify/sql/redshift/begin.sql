-- A run's transaction.
BEGIN;
