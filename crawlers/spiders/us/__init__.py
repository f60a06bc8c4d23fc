"""Sources of the United States."""
