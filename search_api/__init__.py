"""The door for people and programs: HTTP API, pages, exports and the search command."""
