"""Figures, each a ratio against a peer measured in the same run: the machine is shared, and single times mean little."""
