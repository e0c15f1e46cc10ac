"""Synthetic voices, the telephone between them and the recogniser, and log-mel features."""
