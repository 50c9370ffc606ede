-- Texts that the probes of sql/redshift/probes look at; in a table, since constants are computed elsewhere.
CREATE TEMP TABLE proof_texts (name VARCHAR(16), value VARCHAR(64));

INSERT INTO proof_texts (name, value) VALUES
('digits', '96'),
('friday', '2021-01-01'),
('seven', '7'),
('hundred', '100'),
('word', 'word'),
('umlaut', 'Zoë'),
('order 1', 'aa'),
('order 2', 'ää'),
('order 3', 'Zz'),
('length', '209.99791'),
('nothing', NULL);

-- What COPY loads of values of every sort, as text.
CREATE TEMP TABLE proof_values (name VARCHAR(64), value VARCHAR(65535));

-- For the probes of transactions, which take two sessions.
CREATE TABLE proof_shared (number INTEGER);
