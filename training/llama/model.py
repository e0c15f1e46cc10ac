"""Size and initial weights of the language model."""
from transformers import LlamaConfig, LlamaForCausalLM

from .tokenizer import END_OF_TEXT, TURN_END

CONTEXT_TOKENS = 1024


def build_model(tokenizer, width=192, layers=4):
    """A LLaMA of about 2 million parameters with tied embeddings and heads of 64."""
    end_of_text = tokenizer.token_to_id(END_OF_TEXT)
    config = LlamaConfig(
        vocab_size=(tokenizer.get_vocab_size() + 31) // 32 * 32,  # q8_0 wants rows in multiples of 32
        hidden_size=width, intermediate_size=width * 11 // 4 // 32 * 32, num_hidden_layers=layers,
        num_attention_heads=width // 64, num_key_value_heads=width // 64, head_dim=64,
        max_position_embeddings=CONTEXT_TOKENS, rms_norm_eps=1e-5, tie_word_embeddings=True,
        bos_token_id=end_of_text, eos_token_id=tokenizer.token_to_id(TURN_END), pad_token_id=end_of_text,
        initializer_range=0.05, attn_implementation="eager")  # eager: twice as fast as SDPA backward on a CPU
    return LlamaForCausalLM(config)
