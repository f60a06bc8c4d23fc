"""Search: record -> tokens -> entry, text -> query -> hits."""
