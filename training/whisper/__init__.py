"""The recogniser: a small Whisper for the sentences of the grammar, heard over a telephone."""
