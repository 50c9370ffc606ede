-- Whose statements these are: what the cluster's own history calls them, and a WLM queue may go by.
SET query_group TO :label;
