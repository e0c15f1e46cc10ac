"""Byte-level BPE with Whisper's special tokens (no timestamps). Texts begin with a space, as in Whisper.

    python -m whisper.tokenizer PATH/tokenizer.json
"""
import random
import sys

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors, trainers

from grammar.sentences import draw_spoken_sentence
from grammar.slots import NAMES

END_OF_TEXT, START, ENGLISH = "<|endoftext|>", "<|startoftranscript|>", "<|en|>"
TRANSLATE, TRANSCRIBE = "<|translate|>", "<|transcribe|>"
NO_SPEECH, NO_TIMESTAMPS = "<|nospeech|>", "<|notimestamps|>"
SPECIAL = [END_OF_TEXT, START, ENGLISH, TRANSLATE, TRANSCRIBE, "<|startoflm|>", "<|startofprev|>", NO_SPEECH, NO_TIMESTAMPS]
PROMPT = [START, ENGLISH, TRANSCRIBE, NO_TIMESTAMPS]
ORDINARY_TOKENS = 760
SENTENCES = 40_000
SEED = 7


def build_tokenizer():
    rng = random.Random(SEED)
    sentences = sorted({draw_spoken_sentence(rng) for _ in range(SENTENCES)})
    texts = [" " + s for s in sentences] + [" " + n for n in NAMES] * 50
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=ORDINARY_TOKENS, initial_alphabet=alphabet, special_tokens=[], show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.add_special_tokens([AddedToken(t, special=True, normalized=False) for t in SPECIAL])
    tokenizer.post_processor = processors.TemplateProcessing(
        single=[START, NO_TIMESTAMPS, "$A", END_OF_TEXT], special_tokens=[(t, tokenizer.token_to_id(t)) for t in SPECIAL])
    return tokenizer


def encode_text(tokenizer, text):
    """-> token ids of the text alone; none for ''"""
    return tokenizer.encode(" " + text, add_special_tokens=False).ids if text else []


if __name__ == "__main__":
    build_tokenizer().save(sys.argv[1])
