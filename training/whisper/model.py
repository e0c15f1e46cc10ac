"""The recogniser's network: Hugging Face's Whisper with a 10 s window, and two heads that only training uses."""
import torch
import torch.nn as nn
import torch.nn.functional as F
from transformers import WhisperConfig, WhisperForConditionalGeneration

from .tokenizer import END_OF_TEXT, START

WIDTH, HEAD_SIZE = 192, 32
ENCODER_LAYERS, DECODER_LAYERS = 4, 2
WINDOW_FRAMES = 1000  # mel frames of 10 ms
CHARACTERS = {c: i + 1 for i, c in enumerate("abcdefghijklmnopqrstuvwxyz' ")}  # 0 is the CTC blank


def build_config(tokenizer):
    end = tokenizer.token_to_id(END_OF_TEXT)
    return WhisperConfig(
        vocab_size=(tokenizer.get_vocab_size() + 7) // 8 * 8, num_mel_bins=80, d_model=WIDTH,
        encoder_layers=ENCODER_LAYERS, decoder_layers=DECODER_LAYERS,
        encoder_attention_heads=WIDTH // HEAD_SIZE, decoder_attention_heads=WIDTH // HEAD_SIZE,
        encoder_ffn_dim=4 * WIDTH, decoder_ffn_dim=4 * WIDTH,
        max_source_positions=WINDOW_FRAMES // 2, max_target_positions=64, dropout=0.0, activation_function="gelu",
        pad_token_id=end, bos_token_id=end, eos_token_id=end, decoder_start_token_id=tokenizer.token_to_id(START),
        suppress_tokens=[], begin_suppress_tokens=[], attn_implementation="eager")


class Recogniser(nn.Module):
    """`whisper` is exported; `ctc` (characters) and `phone` (phoneme per 20 ms) teach its encoder to listen."""

    def __init__(self, tokenizer, phonemes):
        super().__init__()
        self.whisper = WhisperForConditionalGeneration(build_config(tokenizer))
        self.ctc = nn.Linear(WIDTH, len(CHARACTERS) + 1)
        self.phone = nn.Linear(WIDTH, len(phonemes))
        self.initialise()

    def initialise(self):
        """Hugging Face's init is for fine-tuning: from scratch, its features drown in the position codes."""
        for name, p in self.whisper.named_parameters():
            if "conv" in name and p.dim() == 3:
                nn.init.kaiming_normal_(p, a=0)
                p.data *= 1.3 if "conv1" in name else 1.0
            elif "embed_tokens" in name:
                nn.init.normal_(p, std=WIDTH ** -0.5)
            elif p.dim() == 2 and "embed" not in name and "proj_out" not in name:
                nn.init.xavier_normal_(p, gain=0.8)

    def encode(self, mel):
        """mel [B, 80, frames], frames even and <= 1000 -> [B, frames / 2, WIDTH]; short clips need no padding here"""
        encoder = self.whisper.model.encoder
        x = F.gelu(encoder.conv2(F.gelu(encoder.conv1(mel)))).transpose(1, 2)
        x = x + encoder.embed_positions.weight[: x.shape[1]]
        for layer in encoder.layers:
            x = layer(x, None)
            x = x[0] if isinstance(x, tuple) else x
        return encoder.layer_norm(x)

    def decode(self, ids, encoded):
        """-> logits [B, U, vocabulary]"""
        decoder = self.whisper.model.decoder
        hidden = decoder(input_ids=ids, encoder_hidden_states=encoded, use_cache=False).last_hidden_state
        return self.whisper.proj_out(hidden)

    def split_parameters(self):
        """-> (matrices inside the layers, everything else)"""
        trained = [(n, p) for n, p in self.named_parameters() if p.requires_grad]
        matrices = [p for n, p in trained if "layers" in n and p.dim() == 2]
        taken = {id(p) for p in matrices}
        return matrices, [p for _, p in trained if id(p) not in taken]


@torch.no_grad()
def transcribe(model, tokenizer, mels, max_tokens=48):
    """Greedy. mels [B, 80, 1000] -> (texts, mean log-probability, no-speech probability) per clip"""
    from .tokenizer import NO_SPEECH, PROMPT

    encoded = model.encode(mels)
    end, no_speech = tokenizer.token_to_id(END_OF_TEXT), tokenizer.token_to_id(NO_SPEECH)
    ids = torch.tensor([[tokenizer.token_to_id(t) for t in PROMPT]] * len(mels))
    prompt, cache = ids.shape[1], None
    total, count, done = torch.zeros(len(mels)), torch.zeros(len(mels)), torch.zeros(len(mels), dtype=torch.bool)
    silence, step = None, ids
    for _ in range(max_tokens):
        out = model.whisper.model.decoder(input_ids=step, encoder_hidden_states=encoded, past_key_values=cache, use_cache=True)
        cache, logits = out.past_key_values, model.whisper.proj_out(out.last_hidden_state)
        silence = logits[:, 0].softmax(-1)[:, no_speech] if silence is None else silence
        value, chosen = logits[:, -1].log_softmax(-1).max(-1)
        total, count = total + value * ~done, count + ~done
        chosen[done] = end
        done |= chosen == end
        ids, step = torch.cat([ids, chosen[:, None]], 1), chosen[:, None]
        if done.all():
            break
    texts = [tokenizer.decode(row[prompt:].tolist(), skip_special_tokens=True).strip() for row in ids]
    return texts, (total / count).tolist(), silence.tolist()
