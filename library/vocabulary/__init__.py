"""One door per kind of value: everything printed becomes a value here, for crawlers and for the query language alike."""
