"""One sentence of the speaker's training data."""
from dataclasses import dataclass

import numpy as np


@dataclass
class Example:
    text: str
    tokens: np.ndarray
    durations: np.ndarray  # frames of 10 ms per token
    f0_hz: np.ndarray  # per frame
    audio: np.ndarray  # float16 at 24 kHz
    is_female: int
