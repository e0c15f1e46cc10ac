"""Writes the language model as GGUF for llama.cpp.

    python -m llama.export_gguf --model DIR --type f16 OUT.gguf
"""
import argparse
from pathlib import Path

import gguf
import numpy as np

import provenance

from .evaluate import load
from .model import CONTEXT_TOKENS
from .tokenizer import END_OF_TEXT, SPECIAL, TURN_END

# to the letter: with any other spelling node-llama-cpp does not recognise ChatML
CHAT_TEMPLATE = (
    "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
FILE_TYPES = {"f32": 0, "f16": 1, "q8_0": 7}
LAYER_TENSORS = {  # Hugging Face -> GGUF; True: rows permuted for llama.cpp's rotary layout
    "self_attn.q_proj": ("attn_q", True), "self_attn.k_proj": ("attn_k", True), "self_attn.v_proj": ("attn_v", False),
    "self_attn.o_proj": ("attn_output", False), "mlp.gate_proj": ("ffn_gate", False), "mlp.up_proj": ("ffn_up", False),
    "mlp.down_proj": ("ffn_down", False),
}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--type", choices=FILE_TYPES, default="f16")
    parser.add_argument("out", type=Path)
    args = parser.parse_args()
    model, tokenizer = load(args.model)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    writer = gguf.GGUFWriter(str(args.out), "llama")
    add_architecture(writer, model.config, args.type)
    add_vocabulary(writer, tokenizer, model.config.vocab_size)
    add_weights(writer, model, args.type)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    provenance.copy(args.model, args.out.parent)
    print(f"{args.out}: {args.out.stat().st_size} bytes")


def add_architecture(writer, config, file_type):
    writer.add_name("harbour-kitchen")
    writer.add_license("Apache-2.0")
    writer.add_context_length(CONTEXT_TOKENS)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_key_length(config.head_dim)
    writer.add_value_length(config.head_dim)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    writer.add_rope_dimension_count(config.head_dim)
    writer.add_vocab_size(config.vocab_size)
    writer.add_file_type(FILE_TYPES[file_type])
    writer.add_quantization_version(2)


def add_vocabulary(writer, tokenizer, size):
    import json

    parts = json.loads(tokenizer.to_str())["model"]
    tokens = [f"[PAD{i}]" for i in range(size)]
    types = [gguf.TokenType.UNUSED] * size
    for token, index in parts["vocab"].items():
        tokens[index], types[index] = token, gguf.TokenType.NORMAL
    for token in SPECIAL:
        index = tokenizer.token_to_id(token)
        tokens[index], types[index] = token, gguf.TokenType.CONTROL
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types(types)
    writer.add_token_merges([" ".join(m) if isinstance(m, list) else m for m in parts["merges"]])
    writer.add_bos_token_id(tokenizer.token_to_id(END_OF_TEXT))
    writer.add_eos_token_id(tokenizer.token_to_id(TURN_END))
    writer.add_pad_token_id(tokenizer.token_to_id(END_OF_TEXT))
    writer.add_add_bos_token(False)
    writer.add_add_eos_token(False)
    writer.add_chat_template(CHAT_TEMPLATE)


def add_weights(writer, model, file_type):
    state, config = model.state_dict(), model.config

    def add(name, tensor, keep_float=False):
        array = np.ascontiguousarray(tensor.float().numpy())
        if keep_float or file_type == "f32":
            writer.add_tensor(name, array)
        elif file_type == "f16":
            writer.add_tensor(name, array.astype(np.float16))
        else:
            kind = gguf.GGMLQuantizationType.Q8_0
            writer.add_tensor(name, gguf.quants.quantize(array, kind), raw_dtype=kind)

    add("token_embd.weight", state["model.embed_tokens.weight"])  # tied: llama.cpp uses it for the output too
    add("output_norm.weight", state["model.norm.weight"], keep_float=True)
    for layer in range(config.num_hidden_layers):
        source, target = f"model.layers.{layer}.", f"blk.{layer}."
        add(target + "attn_norm.weight", state[source + "input_layernorm.weight"], keep_float=True)
        add(target + "ffn_norm.weight", state[source + "post_attention_layernorm.weight"], keep_float=True)
        for name, (short, permuted) in LAYER_TENSORS.items():
            weight = state[f"{source}{name}.weight"]
            add(f"{target}{short}.weight", to_interleaved(weight, config.head_dim) if permuted else weight)


def to_interleaved(weight, head_size):
    """Rotary halves (Hugging Face) -> rotary pairs (llama.cpp)."""
    rows, columns = weight.shape
    heads = rows // head_size
    return weight.reshape(heads, 2, head_size // 2, columns).swapaxes(1, 2).reshape(rows, columns)


if __name__ == "__main__":
    main()
