"""Writes the speaker once more, as a model that makes any part of a sentence: its first samples need not wait for its last word.

    python -m kokoro.export_windowed PACK/kokoro

PACK/kokoro/onnx/windowed.onnx is a graph alone: its weights are those of model.onnx, in model.onnx_data. It is checked against
model.onnx. Tensors: beside those of kokoro-js, window int64 [2], the first frame and the one after the last; waveform [1, samples] of
these, frames int64 [1] of all.
"""
import argparse
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import numpy_helper
from onnx.external_data_helper import ExternalDataInfo, set_external_data

from .export import compute_fourier_tables
from .model import Speaker
from .phonemes import VOCABULARY
from .style import STYLE_SIZE
from .vocoder import HOP_SAMPLES

OPSET = 17
TOKENS_CHECKED = (3, 40, 200)
SEED = 0
MOST_DIFFERENCE = 2e-4  # of full scale, -74 dB: sums in another order


class WindowedSpeaker(Speaker):
    def forward(self, input_ids, style, speed, window):
        ids = input_ids.clamp(0, len(VOCABULARY) - 1)
        return self.speak_window(ids, self.femaleness(style), speed, window)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    whole = parser.parse_args().folder / "onnx" / "model.onnx"
    windowed = whole.with_name("windowed.onnx")
    export(read_speaker(whole), windowed)
    share_weights(whole, windowed)
    print(f"largest difference to {whole.name}: {check(whole, windowed):.1e}")


def read_speaker(path):
    """The network whose weights an exported file holds."""
    graph = onnx.load(path).graph
    weights = {t.name: torch.from_numpy(numpy_helper.to_array(t).copy()) for t in graph.initializer}
    model = WindowedSpeaker()
    model.load_state_dict({name: weights[name] for name in model.state_dict()})
    return model.eval()


def export(model, path):
    example = (torch.randint(1, 60, (1, 30)), torch.zeros(1, STYLE_SIZE), torch.ones(1), torch.tensor([20, 50]))
    with torch.no_grad():
        torch.onnx.export(
            model, example, path, input_names=["input_ids", "style", "speed", "window"], output_names=["waveform", "frames"],
            dynamic_axes={"input_ids": {1: "tokens"}, "waveform": {1: "samples"}}, opset_version=OPSET, dynamo=False)
    graph_model = onnx.load(path)
    compute_fourier_tables(graph_model.graph, model.vocoder)
    onnx.save(graph_model, path)


def share_weights(whole, windowed):
    """Lets the tensors of `windowed` lie where those of `whole` do."""
    kept = {t.name: t for t in onnx.load(whole, load_external_data=False).graph.initializer if t.external_data}
    values = {t.name: numpy_helper.to_array(t) for t in onnx.load(whole).graph.initializer}
    model = onnx.load(windowed)
    for tensor in model.graph.initializer:
        if tensor.name not in kept:
            continue
        assert np.array_equal(numpy_helper.to_array(tensor), values[tensor.name]), tensor.name
        place = ExternalDataInfo(kept[tensor.name])
        set_external_data(tensor, place.location, place.offset, place.length)
        tensor.ClearField("raw_data")
    onnx.save(model, windowed)
    onnx.checker.check_model(windowed)


def check(whole, windowed):
    """Windows of any length at any place must hold what the whole holds there. -> the largest difference of a sample"""
    whole, windowed = onnxruntime.InferenceSession(whole), onnxruntime.InferenceSession(windowed)
    rng, largest = np.random.default_rng(SEED), 0.0
    for tokens in TOKENS_CHECKED:
        ids = np.array([[0, *rng.integers(1, len(VOCABULARY), tokens), 0]], np.int64)
        style = rng.normal(0, 1, (1, STYLE_SIZE)).astype(np.float32)
        feed = {"input_ids": ids, "style": style, "speed": np.ones(1, np.float32)}
        wanted = whole.run(None, feed)[0][0]
        frames = len(wanted) // HOP_SAMPLES
        cuts = sorted({0, 1, frames - 1, frames, *rng.integers(0, frames, 6).tolist()})
        for start, end in [*zip(cuts, cuts[1:]), (0, frames), (frames, frames + 9), (frames // 2, 10 * frames)]:
            made, of_all = windowed.run(None, {**feed, "window": np.array([start, end], np.int64)})
            part = wanted[start * HOP_SAMPLES: end * HOP_SAMPLES]
            assert of_all.tolist() == [frames] and made.shape == (1, len(part)), (made.shape, of_all, len(part))
            largest = max(largest, float(np.abs(made[0] - part).max(initial=0)))
    assert largest < MOST_DIFFERENCE, f"a window differs from the whole by {largest}"
    return largest


if __name__ == "__main__":
    main()
