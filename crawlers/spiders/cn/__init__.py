"""Sources of China."""
