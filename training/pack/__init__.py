"""The finished pack: its manifest, and the check of all three models together."""
