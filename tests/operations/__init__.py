"""The whole house, as an operator runs it."""
