"""Runs an exported recogniser with ONNX Runtime, as the product does."""
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

from .model import HEAD_SIZE
from .tokenizer import END_OF_TEXT, NO_SPEECH, PROMPT

MAX_TOKENS = 56


@dataclass
class Transcript:
    text: str
    mean_log_prob: float  # over the text tokens and the end token
    no_speech_prob: float  # of <|nospeech|> after <|startoftranscript|>
    min_log_prob: float = 0.0  # of the least sure token


class OnnxRecogniser:
    def __init__(self, folder, suffix=""):
        folder, options = Path(folder), onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self.encoder = onnxruntime.InferenceSession(folder / "onnx" / f"encoder_model{suffix}.onnx", options)
        self.decoder = onnxruntime.InferenceSession(folder / "onnx" / f"decoder_model_merged{suffix}.onnx", options)
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.prompt = [self.tokenizer.token_to_id(t) for t in PROMPT]
        self.end, self.no_speech = self.tokenizer.token_to_id(END_OF_TEXT), self.tokenizer.token_to_id(NO_SPEECH)
        self.outputs = [o.name for o in self.decoder.get_outputs()]
        self.past = [i.name for i in self.decoder.get_inputs() if i.name.startswith("past_key_values")]
        self.heads = json.loads((folder / "config.json").read_text())["decoder_attention_heads"]

    def transcribe(self, mel):
        """mel [80, frames], frames even and <= 1000 -> Transcript"""
        encoded = self.encoder.run(None, {"input_features": np.ascontiguousarray(mel[None], np.float32)})[0]
        feed = {name: np.zeros((1, self.heads, 0, HEAD_SIZE), np.float32) for name in self.past}
        feed.update(input_ids=np.array([self.prompt]), encoder_hidden_states=encoded, use_cache_branch=np.array([False]))
        tokens, log_probs, no_speech_prob = [], [], None
        while len(tokens) < MAX_TOKENS:
            made = dict(zip(self.outputs, self.decoder.run(None, feed)))
            if no_speech_prob is None:
                no_speech_prob = float(np.exp(log_softmax(made["logits"][0, 0])[self.no_speech]))
            scores = log_softmax(made["logits"][0, -1])
            token = int(scores.argmax())
            log_probs.append(float(scores[token]))
            if token == self.end:
                break
            tokens.append(token)
            feed.update({n: made[n.replace("past_key_values", "present")] for n in self.past})
            feed.update(input_ids=np.array([[token]]), use_cache_branch=np.array([True]))
        return Transcript(self.tokenizer.decode(tokens).strip(), float(np.mean(log_probs)), no_speech_prob, min(log_probs))


def log_softmax(logits):
    shifted = logits.astype(np.float64) - logits.max()
    return shifted - np.log(np.exp(shifted).sum())
