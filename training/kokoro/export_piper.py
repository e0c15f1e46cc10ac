"""Writes the speaker as a Piper voice of two speakers: the same weights behind Piper's tensors and phoneme ids.

    python -m kokoro.export_piper --model DIR/model.pt --out PACK/piper

Tensors: input int64 [1, N] (^ _ (id _)* $), input_lengths int64 [1], scales float32 [3] (noise, length, noise width; the
length alone is used), sid int64 [1] -> output float32 [1, 1, 1, samples] at 24 kHz. Weights are stored in half precision.
"""
import argparse
import json
from pathlib import Path

import numpy as np
import onnx
import torch
import torch.nn as nn
from onnx import TensorProto, helper, numpy_helper

import provenance

from .export import shrink
from .model import Speaker
from .phonemes import PAD, REPLACED, VOCABULARY
from .vocoder import RATE_HZ

VOICE = "harbour"
FRAME = {"_": [0], "^": [1], "$": [2]}  # pad, begin, end; not spoken
SPEAKERS = {"heart": 0, "michael": 1}
FEMALENESS = [1.0, 0.0]
OPSET = 17
SMALLEST_HALVED = 256  # elements; smaller tensors stay as they are


class PiperVoice(nn.Module):
    def __init__(self, speaker):
        super().__init__()
        self.speaker = speaker
        self.register_buffer("femaleness", torch.tensor(FEMALENESS)[:, None])

    def forward(self, input, input_lengths, scales, sid):
        ids = input[0, : input_lengths[0]]
        spoken = torch.masked_select(ids, (ids >= len(FRAME)) & (ids < len(FRAME) + len(VOCABULARY) - 1))
        pad = torch.zeros(1, dtype=torch.long)
        ids = torch.cat([pad, spoken - len(FRAME) + 1, pad])[None]  # 0 is the pad of VOCABULARY
        voice = self.femaleness[torch.clamp(sid, 0, len(FEMALENESS) - 1)]
        return self.speaker.speak(ids, voice, 1 / torch.clamp(scales[1:2], min=0.05))[:, None, None]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    model = Speaker()
    model.load_state_dict(torch.load(args.model))
    path = args.out / f"{VOICE}.onnx"
    export(model.eval(), path)
    path.with_suffix(".onnx.json").write_text(json.dumps(settings(), indent=1, ensure_ascii=False) + "\n")
    provenance.copy(args.model.parent, args.out)


def export(model, path):
    ids = torch.randint(0, 60, (1, 61))
    example = (ids, torch.tensor([61]), torch.tensor([0.667, 1.0, 0.8]), torch.zeros(1, dtype=torch.long))
    with torch.no_grad():
        torch.onnx.export(
            PiperVoice(model).eval(), example, path, input_names=["input", "input_lengths", "scales", "sid"],
            output_names=["output"], dynamic_axes={"input": {1: "phonemes"}, "output": {3: "samples"}}, opset_version=OPSET,
            dynamo=False)
    shrink(path, model.vocoder)
    halve(path)


def halve(path):
    """Stores large float tensors in half precision; ONNX Runtime widens them while loading."""
    model = onnx.load(path)
    graph, casts = model.graph, []
    for tensor in list(graph.initializer):
        array = numpy_helper.to_array(tensor)
        if array.dtype != np.float32 or array.size < SMALLEST_HALVED:
            continue
        graph.initializer.remove(tensor)
        graph.initializer.append(numpy_helper.from_array(array.astype(np.float16), tensor.name + ".half"))
        casts.append(helper.make_node("Cast", [tensor.name + ".half"], [tensor.name], to=TensorProto.FLOAT))
    kept = list(graph.node)
    del graph.node[:]
    graph.node.extend(casts + kept)
    onnx.checker.check_model(model)
    onnx.save(model, path)


def settings():
    """The voice's JSON, as Piper's own voices have it."""
    first = len(FRAME) - 1  # the pad of VOCABULARY has no id here
    known = {c: [first + i] for c, i in VOCABULARY.items() if c != PAD}
    alike = {old: known[new] for old, new in REPLACED.items()}
    return {
        "audio": {"sample_rate": RATE_HZ, "quality": "medium"}, "espeak": {"voice": "en-us"}, "phoneme_type": "espeak",
        "language": {"code": "en_US"}, "inference": {"noise_scale": 0.667, "length_scale": 1, "noise_w": 0.8},
        "num_symbols": len(FRAME) + len(VOCABULARY) - 1, "num_speakers": len(SPEAKERS), "speaker_id_map": SPEAKERS,
        "phoneme_map": {}, "phoneme_id_map": {**FRAME, **known, **alike},
    }


if __name__ == "__main__":
    main()
