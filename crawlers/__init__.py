"""Publisher -> archived page -> draft -> record. Knows the library and nothing else of ours."""
