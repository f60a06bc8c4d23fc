"""One file per access shape, for sources that walk their pages the same way."""
