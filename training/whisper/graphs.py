"""The recogniser as plain tensor functions, for export: no cache objects, no SDPA, no fixed text length.

Same weights and same numbers as Hugging Face's layers. Heads are HEAD_SIZE wide; all are float32.
"""
import torch
import torch.nn as nn
import torch.nn.functional as F

from .model import DECODER_LAYERS, HEAD_SIZE, WIDTH

NEVER = -1e4  # added to the attention score of a token in the future


def split_heads(x):
    """[B, N, WIDTH] -> [B, heads, N, HEAD_SIZE]"""
    return x.reshape(x.shape[0], -1, WIDTH // HEAD_SIZE, HEAD_SIZE).transpose(1, 2)


def join_heads(x):
    return x.transpose(1, 2).reshape(x.shape[0], -1, WIDTH)


class EncoderGraph(nn.Module):
    def __init__(self, recogniser):
        super().__init__()
        self.recogniser = recogniser

    def forward(self, input_features):
        return self.recogniser.encode(input_features)


class CrossGraph(nn.Module):
    """Keys and values of the encoded audio, computed once per utterance."""

    def __init__(self, whisper):
        super().__init__()
        self.layers = whisper.model.decoder.layers

    def forward(self, encoder_hidden_states):
        made = []
        for layer in self.layers:
            attention = layer.encoder_attn
            made += [split_heads(attention.k_proj(encoder_hidden_states)), split_heads(attention.v_proj(encoder_hidden_states))]
        return tuple(made)


class DecoderGraph(nn.Module):
    """One decoder for both steps: `use_cache_branch` false ignores the past, whatever length it has."""

    def __init__(self, whisper):
        super().__init__()
        self.whisper = whisper

    def forward(self, input_ids, use_cache_branch, *caches):
        """caches: past keys and values per layer [B, heads, P, HEAD_SIZE], then the cross ones.
        -> (logits [B, N, vocabulary], present keys and values per layer)"""
        past, cross = caches[: 2 * DECODER_LAYERS], caches[2 * DECODER_LAYERS:]
        decoder = self.whisper.model.decoder
        used = torch.where(use_cache_branch[0], torch.ones((), dtype=torch.int64), torch.zeros((), dtype=torch.int64))
        past_length = used * past[0].shape[2]
        position = torch.arange(input_ids.shape[1]) + past_length
        x, present = decoder.embed_tokens(input_ids) + decoder.embed_positions.weight[position], []
        for index, layer in enumerate(decoder.layers):
            x, keys, values = self.attend_self(layer, x, position, past[2 * index][:, :, :past_length],
                                               past[2 * index + 1][:, :, :past_length])
            x = self.attend_audio(layer, x, cross[2 * index], cross[2 * index + 1])
            x = x + layer.fc2(F.gelu(layer.fc1(layer.final_layer_norm(x))))
            present += [keys, values]
        return (self.whisper.proj_out(decoder.layer_norm(x)), *present)

    def attend_self(self, layer, x, position, past_keys, past_values):
        attention, y = layer.self_attn, layer.self_attn_layer_norm(x)
        query = split_heads(attention.q_proj(y)) * attention.scaling
        keys = torch.cat([past_keys, split_heads(attention.k_proj(y))], 2)
        values = torch.cat([past_values, split_heads(attention.v_proj(y))], 2)
        future = (torch.arange(keys.shape[2])[None] > position[:, None]).float() * NEVER
        mixed = torch.softmax(query @ keys.transpose(2, 3) + future, -1) @ values
        return x + attention.out_proj(join_heads(mixed)), keys, values

    def attend_audio(self, layer, x, keys, values):
        attention, y = layer.encoder_attn, layer.encoder_attn_layer_norm(x)
        query = split_heads(attention.q_proj(y)) * attention.scaling
        return x + attention.out_proj(join_heads(torch.softmax(query @ keys.transpose(2, 3), -1) @ values))
