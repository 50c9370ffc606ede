-- Undo the transaction.
ROLLBACK;
