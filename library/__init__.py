"""The truth: what publishers answered and what we know. Imports nothing else of ours."""
