"""Search engines behind one protocol; `base.py` says what an engine owes."""
