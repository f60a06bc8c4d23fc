"""Change -> watch -> delivery -> mail: an alert is never lost, never doubled, always explained."""
