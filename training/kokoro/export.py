"""Writes the speaker in the layout that kokoro-js loads (float32).

    python -m kokoro.export --model DIR/model.pt --out PACK/kokoro
"""
import argparse
import json
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import helper, numpy_helper

import provenance

from .model import Speaker
from .phonemes import PAD, VOCABULARY
from .style import STYLE_SIZE
from .vocoder import BINS, FFT


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    (args.out / "onnx").mkdir(parents=True, exist_ok=True)
    model = Speaker()
    model.load_state_dict(torch.load(args.model))
    export(model.eval(), args.out / "onnx" / "model.onnx")
    write_settings(args.out)
    provenance.copy(args.model.parent, args.out)


def export(model, path):
    ids, style, speed = torch.randint(1, 60, (1, 30)), torch.zeros(1, STYLE_SIZE), torch.ones(1)
    with torch.no_grad():
        torch.onnx.export(
            model, (ids, style, speed), path, input_names=["input_ids", "style", "speed"], output_names=["waveform"],
            dynamic_axes={"input_ids": {1: "tokens"}, "waveform": {1: "samples"}}, opset_version=17, dynamo=False)
    shrink(path, model.vocoder)
    put_weights_beside(path)


def put_weights_beside(path):
    """Moves the large tensors to PATH_data, where kokoro.export_windowed shares them."""
    data = path.with_name(f"{path.name}_data")
    data.unlink(missing_ok=True)  # onnx.save appends
    onnx.save(onnx.load(path), path, save_as_external_data=True, location=data.name, size_threshold=1024)
    data.chmod(path.stat().st_mode)  # onnx.save makes it its owner's alone


def shrink(path, vocoder):
    """Takes out of an exported file what a node can compute."""
    graph_model = onnx.load(path)
    compute_fourier_tables(graph_model.graph, vocoder)
    onnx.checker.check_model(graph_model)
    onnx.save(graph_model, path)


def compute_fourier_tables(graph, vocoder):
    """Replaces the two stored Fourier kernels [2 BINS, 1, FFT] by nodes that compute them.

    They are 40 % of the file. ONNX Runtime folds the nodes while loading, so a run costs nothing.
    """
    window, weight = vocoder.window.numpy(), vocoder.bin_weight.numpy()[:, None, None]
    basis = vocoder.fourier_basis().numpy()[:, None]
    wanted = {"analysis": basis * window, "synthesis": basis * weight}
    factors = {"analysis": window, "synthesis": weight}
    nodes, stored = fourier_nodes(), []
    for name, array, holder in stored_tensors(graph):
        kind = next((k for k, w in wanted.items() if array.shape == w.shape and np.allclose(array, w)), None)
        if kind:
            factor = f"fourier.{kind}.factor"
            graph.initializer.append(numpy_helper.from_array(factors[kind].astype(np.float32), factor))
            nodes.append(helper.make_node("Mul", ["fourier.basis", factor], [name], name=f"fourier.{kind}"))
            stored.append(holder)
    assert len(stored) == 2, "the exporter stores the Fourier kernels in another way now"
    for holder in stored:
        (graph.initializer if isinstance(holder, onnx.TensorProto) else graph.node).remove(holder)
    kept = list(graph.node)
    del graph.node[:]
    graph.node.extend(nodes + kept)


def stored_tensors(graph):
    """-> [(name, array, the initializer or Constant node that holds it)]"""
    found = [(t.name, numpy_helper.to_array(t), t) for t in graph.initializer]
    constants = [n for n in graph.node if n.op_type == "Constant" and n.attribute[0].name == "value"]
    return found + [(n.output[0], numpy_helper.to_array(n.attribute[0].t), n) for n in constants]


def fourier_nodes():
    """Nodes for cos and -sin of 2 pi bin time / FFT, shape [2 BINS, 1, FFT]; the product is reduced in integers."""
    def constant(name, array):
        return helper.make_node("Constant", [], [name], name=name, value=numpy_helper.from_array(array))

    return [
        constant("fourier.bins", np.arange(BINS).reshape(BINS, 1, 1)),
        constant("fourier.times", np.arange(FFT).reshape(1, 1, FFT)),
        constant("fourier.size", np.array(FFT)),
        constant("fourier.step", np.array(2 * np.pi / FFT, np.float32)),
        helper.make_node("Mul", ["fourier.bins", "fourier.times"], ["fourier.product"]),
        helper.make_node("Mod", ["fourier.product", "fourier.size"], ["fourier.turn"]),
        helper.make_node("Cast", ["fourier.turn"], ["fourier.turn_float"], to=onnx.TensorProto.FLOAT),
        helper.make_node("Mul", ["fourier.turn_float", "fourier.step"], ["fourier.angle"]),
        helper.make_node("Cos", ["fourier.angle"], ["fourier.cos"]),
        helper.make_node("Sin", ["fourier.angle"], ["fourier.sin"]),
        helper.make_node("Neg", ["fourier.sin"], ["fourier.minus_sin"]),
        helper.make_node("Concat", ["fourier.cos", "fourier.minus_sin"], ["fourier.basis"], axis=0),
    ]


def write_settings(out):
    """Kokoro's tokenizer: unknown characters dropped, one token per character, '$' at both ends."""
    known = "".join(c for c in VOCABULARY if c not in "$ ")  # not escaped: JavaScript's /u flag rejects needless escapes
    pad = {"SpecialToken": {"id": PAD, "type_id": 0}}
    wrap = [pad, {"Sequence": {"id": "A", "type_id": 0}}, pad]
    write_json(out / "tokenizer.json", {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": [],
        "normalizer": {"type": "Replace", "pattern": {"Regex": f"[^$ {known}]"}, "content": ""},
        "pre_tokenizer": {"type": "Split", "pattern": {"Regex": ""}, "behavior": "Isolated", "invert": False},
        "post_processor": {"type": "TemplateProcessing", "single": wrap, "pair": wrap,
                           "special_tokens": {PAD: {"id": PAD, "ids": [0], "tokens": [PAD]}}},
        "decoder": None, "model": {"type": "WordLevel", "vocab": VOCABULARY, "unk_token": PAD}})
    write_json(out / "config.json", {"model_type": "style_text_to_speech_2"})
    write_json(out / "tokenizer_config.json", {
        "tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": 512, "pad_token": PAD, "unk_token": PAD})


def write_json(path, content):
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
