"""Runs an exported speaker with ONNX Runtime, with the style rows that kokoro-js passes."""
from pathlib import Path

import numpy as np
import onnxruntime

from .phonemes import phonemise, token_ids
from .style import load_voices


class OnnxSpeaker:
    def __init__(self, folder, voices_folder):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(Path(folder) / "onnx" / "model.onnx", options)
        self.voices = load_voices(voices_folder)

    def speak(self, text, voice="af_heart", speed=1.0):
        """-> float32 samples at 24 kHz"""
        ids = token_ids(phonemise(text, "en-us" if voice.startswith("a") else "en"))
        table = self.voices[voice]
        style = table[min(max(len(ids) - 2, 0), len(table) - 1)][None]
        return self.run(ids, style, speed)

    def run(self, ids, style, speed):
        feed = {"input_ids": np.array([ids], np.int64), "style": style.astype(np.float32), "speed": np.array([speed], np.float32)}
        return self.session.run(None, feed)[0][0]
