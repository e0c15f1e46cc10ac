"""Byte-level BPE of the language model, the same one that llama.cpp rebuilds from the GGUF file ('gpt-2').

The runtime tokenises the role headers and every message text as separate chunks, so a caller's
'baker' starts without a space while ' baker' in a reply has one. Slot words are therefore weighted
such that both spellings become single tokens.
"""
import random

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

from grammar import agent
from grammar.dialogue import Dialogue
from grammar.sentences import vocabulary
from grammar.slots import DAYS, HOURS, NAMES, NUMBERS

END_OF_TEXT, TURN_START, TURN_END = "<|endoftext|>", "<|im_start|>", "<|im_end|>"
SPECIAL = [END_OF_TEXT, TURN_START, TURN_END]
ORDINARY_TOKENS = 1277
DIALOGUES = 6000
SEED = 5


def build_tokenizer():
    rng, texts = random.Random(SEED), []
    for _ in range(DIALOGUES):
        for turn in Dialogue(rng, invented_names=0.1, strange=0.05).play():
            texts += [turn.caller, " " + turn.caller, turn.reply]
    for words, weight in ((vocabulary(), 60), (NAMES + DAYS + NUMBERS + HOURS, 2000)):
        texts += [text for word in words for text in (word, " " + word) for _ in range(weight)]
    texts += [agent.SYSTEM_PROMPT, agent.GREETING, agent.NO_INPUT_PROMPT, "system\nuser\nassistant\n"]
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=ORDINARY_TOKENS, initial_alphabet=alphabet, special_tokens=[], show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.add_special_tokens([AddedToken(t, special=True, normalized=False) for t in SPECIAL])
    return tokenizer
