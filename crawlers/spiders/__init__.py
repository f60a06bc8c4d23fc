"""One short file per source, by jurisdiction."""
