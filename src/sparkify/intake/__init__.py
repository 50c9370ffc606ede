"""From bytes to records: where records end, one value, our rules, and the audit of a lenient parser."""
