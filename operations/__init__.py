"""Running the whole house: every part together, practice nights, backup. Knows every package."""
