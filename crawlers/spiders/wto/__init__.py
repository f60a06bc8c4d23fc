"""Sources of the World Trade Organization."""
