"""What must hold when processes die, disks lose what was not synced, and files lie."""
