"""The speaker: a small text-to-speech model behind Kokoro's interface."""
