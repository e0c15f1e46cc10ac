"""The speaker as a caller hears it: through the product's own text rules, engine and shaper, at 8 kHz."""
import json
import subprocess
import tempfile
from pathlib import Path

import numpy as np

LINE_RATE_HZ = 8000
SCRIPT = Path(__file__).with_name("render.mjs")


def speak_lines(engine, folder, lines):
    """engine "kokoro" or "piper", lines [(text, voice)] -> ([float32 with the rest after each], real-time factor)"""
    with tempfile.TemporaryDirectory() as work:
        texts, raw = Path(work, "texts.json"), Path(work, "out.raw")
        texts.write_text(json.dumps([{"text": text, "voice": voice} for text, voice in lines]))
        command = ["node", SCRIPT, engine, Path(folder).resolve(), texts, raw]
        made = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=SCRIPT.parents[2])
        samples = np.fromfile(raw, np.int16).astype(np.float32) / 32768
    lengths = json.loads(made.stdout)
    ends = np.cumsum([total for total, _, _ in lengths]).astype(int)
    spent_s, spoken_s = sum(ms for _, _, ms in lengths) / 1000, sum(speech for _, speech, _ in lengths) / LINE_RATE_HZ
    return np.split(samples, ends[:-1]), spent_s / max(spoken_s, 1e-9)
