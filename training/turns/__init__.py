"""Utterances with pauses inside, and where their turn really ends."""
