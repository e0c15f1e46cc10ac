"""Writes the recogniser in the Hugging Face ONNX layout (encoder_model, decoder_model_merged, float32 and int8).

    python -m whisper.export --checkpoint DIR/checkpoint.pt --tokenizer tokenizer.json --out PACK/whisper
"""
import argparse
import json
from pathlib import Path

import onnx
import torch
from onnx import TensorProto, helper
from onnxruntime.quantization import QuantType, quantize_dynamic
from tokenizers import Tokenizer
from transformers import WhisperFeatureExtractor

import provenance

from .graphs import CrossGraph, DecoderGraph, EncoderGraph
from .model import DECODER_LAYERS, HEAD_SIZE, WIDTH, WINDOW_FRAMES, Recogniser
from .tokenizer import END_OF_TEXT, ENGLISH, NO_TIMESTAMPS, PROMPT, SPECIAL, START, TRANSCRIBE, TRANSLATE

HEADS = WIDTH // HEAD_SIZE
OWN = [f"{i}.decoder.{k}" for i in range(DECODER_LAYERS) for k in ("key", "value")]
AUDIO = [f"{i}.encoder.{k}" for i in range(DECODER_LAYERS) for k in ("key", "value")]
BATCH = {0: "batch"}
AUDIO_AXES = {0: "batch", 2: "audio_length"}
SETTINGS = dict(opset_version=17, dynamo=False, do_constant_folding=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--tokenizer", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--int8", action="store_true", help="also write *_quantized.onnx")
    args = parser.parse_args()
    (args.out / "onnx").mkdir(parents=True, exist_ok=True)
    provenance.copy(args.checkpoint.parent, args.out)
    tokenizer = Tokenizer.from_file(str(args.tokenizer))
    model = load_checkpoint(args.checkpoint, tokenizer)
    with torch.no_grad():
        export_encoder(model, args.out / "onnx" / "encoder_model.onnx")
        export_decoder(model, tokenizer, args.out / "onnx" / "decoder_model_merged.onnx")
    if args.int8:
        for name in ("encoder_model", "decoder_model_merged"):
            quantize_dynamic(args.out / "onnx" / f"{name}.onnx", args.out / "onnx" / f"{name}_quantized.onnx",
                             weight_type=QuantType.QInt8, op_types_to_quantize=["MatMul", "Gemm"],
                             extra_options={"EnableSubgraph": True, "MatMulConstBOnly": True})
    write_settings(model, tokenizer, args.out)


def load_checkpoint(path, tokenizer):
    saved = torch.load(path, weights_only=False)
    model = Recogniser(tokenizer, saved["phonemes"])
    model.load_state_dict(saved["model"])
    return model.eval()


def export_encoder(model, path):
    torch.onnx.export(EncoderGraph(model), (torch.randn(1, 80, WINDOW_FRAMES),), path, input_names=["input_features"],
                      output_names=["last_hidden_state"],
                      dynamic_axes={"input_features": {0: "batch", 2: "frames"},
                                    "last_hidden_state": {0: "batch", 1: "audio_length"}}, **SETTINGS)


def export_decoder(model, tokenizer, path):
    """Decoder and cross projection are exported apart, then joined by an If on `use_cache_branch`."""
    encoded = model.encode(torch.randn(1, 80, WINDOW_FRAMES))
    prompt = torch.tensor([[tokenizer.token_to_id(t) for t in PROMPT]])
    cross = CrossGraph(model.whisper)(encoded)
    empty = [torch.zeros(1, HEADS, 0, HEAD_SIZE)] * len(OWN)
    first = DecoderGraph(model.whisper)(prompt, torch.tensor([False]), *empty, *cross)
    check_against_reference(model, prompt, encoded, first[0])
    core, projection = path.with_suffix(".core"), path.with_suffix(".cross")
    past_axes = {f"past_key_values.{n}": {0: "batch", 2: "past_length"} for n in OWN}
    present_axes = {f"present.{n}": {0: "batch", 2: "total_length"} for n in OWN}
    torch.onnx.export(
        DecoderGraph(model.whisper), (prompt[:, :1], torch.tensor([True]), *first[1:], *cross), core,
        input_names=["input_ids", "use_cache_branch", *past_axes, *[f"present.{n}" for n in AUDIO]],
        output_names=["logits", *present_axes],
        dynamic_axes={"input_ids": {0: "batch", 1: "length"}, "logits": {0: "batch", 1: "length"},
                      **{f"present.{n}": AUDIO_AXES for n in AUDIO}, **past_axes, **present_axes}, **SETTINGS)
    torch.onnx.export(
        CrossGraph(model.whisper), (encoded,), projection, input_names=["encoder_hidden_states"],
        output_names=[f"made.{n}" for n in AUDIO],
        dynamic_axes={"encoder_hidden_states": {0: "batch", 1: "audio_length"}, **{f"made.{n}": AUDIO_AXES for n in AUDIO}}, **SETTINGS)
    merged = merge(onnx.load(core), onnx.load(projection))
    onnx.checker.check_model(merged)
    onnx.save(merged, path)
    core.unlink()
    projection.unlink()


def check_against_reference(model, prompt, encoded, logits):
    difference = (model.decode(prompt, encoded) - logits).abs().max().item()
    print(f"largest difference to the reference decoder: {difference:.1e}")
    assert difference < 1e-3, "the export graph and the trained model disagree"


def merge(core, projection):
    """One graph: If(use_cache_branch) hands the past audio keys on, else it projects encoder_hidden_states."""
    def info(name, shape):
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

    rename(projection, "cross.")
    audio_shape = ["batch", HEADS, "audio_length", HEAD_SIZE]
    project = helper.make_graph(list(projection.graph.node), "project", [],
                                [info(f"made.{n}", audio_shape) for n in AUDIO])
    keep = helper.make_graph([helper.make_node("Identity", [f"past_key_values.{n}"], [f"kept.{n}"]) for n in AUDIO],
                             "keep", [], [info(f"kept.{n}", audio_shape) for n in AUDIO])
    branch = helper.make_node("If", ["use_cache_branch"], [f"present.{n}" for n in AUDIO], name="audio_keys",
                              then_branch=keep, else_branch=project)
    inputs = [i for i in core.graph.input if i.name not in {f"present.{n}" for n in AUDIO}]
    inputs += [info("encoder_hidden_states", ["batch", "audio_length", WIDTH])]
    inputs += [info(f"past_key_values.{n}", audio_shape) for n in AUDIO]
    outputs = list(core.graph.output) + [info(f"present.{n}", audio_shape) for n in AUDIO]
    graph = helper.make_graph([branch, *core.graph.node], "decoder_model_merged", inputs, outputs,
                              initializer=[*core.graph.initializer, *projection.graph.initializer])
    return helper.make_model(graph, opset_imports=core.opset_import, ir_version=core.ir_version)


def rename(model, prefix):
    """Gives all inner names a prefix, so that two graphs can live in one."""
    kept = {"encoder_hidden_states"} | {o.name for o in model.graph.output}
    for node in model.graph.node:
        node.name = prefix + node.name
        for names in (node.input, node.output):
            for index, name in enumerate(names):
                if name and name not in kept:
                    names[index] = prefix + name
    for tensor in model.graph.initializer:
        tensor.name = prefix + tensor.name


def write_settings(model, tokenizer, out):
    ids = {t: tokenizer.token_to_id(t) for t in SPECIAL}
    config = model.whisper.config
    config.architectures = ["WhisperForConditionalGeneration"]
    config.save_pretrained(out)
    tokenizer.save(str(out / "tokenizer.json"))
    WhisperFeatureExtractor(chunk_length=WINDOW_FRAMES // 100).save_pretrained(out)
    write_json(out / "generation_config.json", {
        "bos_token_id": ids[END_OF_TEXT], "eos_token_id": ids[END_OF_TEXT], "pad_token_id": ids[END_OF_TEXT],
        "decoder_start_token_id": ids[START],
        "forced_decoder_ids": [[1, ids[ENGLISH]], [2, ids[TRANSCRIBE]], [3, ids[NO_TIMESTAMPS]]],
        "is_multilingual": True, "lang_to_id": {ENGLISH: ids[ENGLISH]},
        "task_to_id": {"transcribe": ids[TRANSCRIBE], "translate": ids[TRANSLATE]},
        "no_timestamps_token_id": ids[NO_TIMESTAMPS], "suppress_tokens": [], "begin_suppress_tokens": [],
        "max_length": 64, "max_initial_timestamp_index": 0, "return_timestamps": False})
    write_json(out / "tokenizer_config.json", {
        "tokenizer_class": "WhisperTokenizer", "bos_token": END_OF_TEXT, "eos_token": END_OF_TEXT,
        "unk_token": END_OF_TEXT, "pad_token": END_OF_TEXT, "additional_special_tokens": SPECIAL[1:],
        "model_max_length": 64, "clean_up_tokenization_spaces": False})


def write_json(path, content):
    path.write_text(json.dumps(content, indent=2) + "\n")


if __name__ == "__main__":
    main()
