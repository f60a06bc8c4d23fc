"""Routes: api for programs, pages for readers, operator for what changes state."""
