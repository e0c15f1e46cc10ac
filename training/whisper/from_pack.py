"""Makes a checkpoint of a pack's exported recogniser, to go on training where the checkpoint itself was not kept.

    python -m whisper.from_pack --pack PACK/whisper --data DIR --out DIR

The two heads that only training uses and the optimisers begin anew (`whisper.train --warm-heads`). More encoder layers than the
pack has are put between its own, and pass everything on unchanged until they have learnt something better.
"""
import argparse
import json
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from tokenizers import Tokenizer

import provenance

from .model import DECODER_LAYERS, WINDOW_FRAMES, Recogniser
from .onnx_model import OnnxRecogniser

SELF, CROSS = ("q_proj", "k_proj", "v_proj", "out_proj"), ("k_proj", "v_proj")
DECODER_ORDER = [*(f"self_attn.{n}" for n in SELF), "encoder_attn.q_proj", "encoder_attn.out_proj", "fc1", "fc2"]
ENDS_OF_A_LAYER = ("self_attn.out_proj", "fc2")  # zero: the layer adds nothing


def matmul_weights(path, prefix=""):
    """Linear layers lose their names at export. -> their weights in the order of the graph, as PyTorch has them"""
    graph = onnx.load(path).graph
    known = {i.name: i for i in graph.initializer}
    nodes = list(graph.node)
    for node in graph.node:
        nodes += [inner for a in node.attribute if a.type == onnx.AttributeProto.GRAPH for inner in a.g.node]
    used = [node.input[1] for node in nodes if node.op_type == "MatMul" and node.input[1] in known]
    return [torch.from_numpy(numpy_helper.to_array(known[name]).T.copy()) for name in used if name.startswith(prefix + "onnx::")]


def named_weights(path):
    graph, found = onnx.load(path).graph, {}
    for tensor in graph.initializer:
        name = tensor.name.removeprefix("recogniser.").removeprefix("whisper.")
        name = name.replace("cross.layers.", "model.decoder.layers.")
        if "MatMul" not in name:
            found["whisper." + name] = torch.from_numpy(numpy_helper.to_array(tensor).copy())
    return found


def read_pack(folder):
    """-> (state of the recogniser without its heads, layers of its encoder)"""
    encoder, decoder = folder / "onnx" / "encoder_model.onnx", folder / "onnx" / "decoder_model_merged.onnx"
    state = {**named_weights(encoder), **named_weights(decoder)}
    linear = matmul_weights(encoder, "")
    layers = len(linear) // 6
    for index, weight in enumerate(linear):
        layer, name = divmod(index, 6)
        state[f"whisper.model.encoder.layers.{layer}.{[*(f'self_attn.{n}' for n in SELF), 'fc1', 'fc2'][name]}.weight"] = weight
    for index, weight in enumerate(matmul_weights(decoder)[: len(DECODER_ORDER) * DECODER_LAYERS]):
        layer, name = divmod(index, len(DECODER_ORDER))
        state[f"whisper.model.decoder.layers.{layer}.{DECODER_ORDER[name]}.weight"] = weight
    for index, weight in enumerate(matmul_weights(decoder, "cross.")):
        layer, name = divmod(index, len(CROSS))
        state[f"whisper.model.decoder.layers.{layer}.encoder_attn.{CROSS[name]}.weight"] = weight
    state["whisper.proj_out.weight"] = state["whisper.model.decoder.embed_tokens.weight"]
    return state, layers


def spread_layers(state, layers, wanted):
    """The pack's layers at their places among `wanted`; -> (state, the new ones)"""
    places = [round((i + 1) * wanted / layers) - 1 for i in range(layers)]
    moved = {}
    for name, value in state.items():
        parts = name.split(".")
        if ".encoder.layers." in name:
            parts[4] = str(places[int(parts[4])])
        moved[".".join(parts)] = value
    return moved, [i for i in range(wanted) if i not in places]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--pack", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True, help="where tokenizer.json and the training shards are")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    tokenizer = Tokenizer.from_file(str(args.data / "tokenizer.json"))
    phonemes = sorted({p for shard in args.data.glob("train-*.json") for u in json.loads(shard.read_text()) for p in u["phonemes"] or []} | {""})
    model = Recogniser(tokenizer, phonemes)
    state, layers = read_pack(args.pack)
    state, added = spread_layers(state, layers, len(model.whisper.model.encoder.layers))
    missing, unexpected = model.load_state_dict(state, strict=False)
    known_missing = [n for n in missing if not n.startswith(("ctc.", "phone.")) and not any(f"encoder.layers.{i}." in n for i in added)]
    assert not known_missing and not unexpected, (known_missing, unexpected)
    for index in added:
        for name, parameter in model.whisper.model.encoder.layers[index].named_parameters():
            if name.rsplit(".", 1)[0] in ENDS_OF_A_LAYER:
                torch.nn.init.zeros_(parameter)
    check(model, args.pack)
    torch.save({"model": model.state_dict(), "phonemes": phonemes}, args.out / "checkpoint.pt")
    provenance.copy(args.pack, args.out)
    print(f"{args.out}/checkpoint.pt: {sum(p.numel() for p in model.parameters())} parameters, new encoder layers {added}, {len(phonemes)} phonemes")


@torch.no_grad()
def check(model, folder):
    """The checkpoint must say what the pack says."""
    recogniser = OnnxRecogniser(folder)
    mel = np.random.default_rng(0).normal(0, 0.5, (80, WINDOW_FRAMES)).astype(np.float32)
    ours = model.eval().encode(torch.from_numpy(mel[None]))
    theirs = recogniser.encoder.run(None, {"input_features": mel[None]})[0]
    difference = float((ours - torch.from_numpy(theirs)).abs().max())
    feed = {name: np.zeros((1, recogniser.heads, 0, ours.shape[-1] // recogniser.heads), np.float32) for name in recogniser.past}
    feed.update(input_ids=np.array([recogniser.prompt]), encoder_hidden_states=theirs, use_cache_branch=np.array([False]))
    logits = dict(zip(recogniser.outputs, recogniser.decoder.run(None, feed)))["logits"]
    far = float((model.decode(torch.tensor([recogniser.prompt]), ours) - torch.from_numpy(logits)).abs().max())
    print(f"largest difference to the pack: encoder {difference:.1e}, scores {far:.1e}")
    assert difference < 1e-2 and far < 1e-2, "the weights were read wrongly"


if __name__ == "__main__":
    main()
