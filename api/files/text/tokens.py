"""How many tokens a text is, roughly, before a model has counted it."""

import math

# Of English, after OpenAI's rule of thumb (https://help.openai.com/en/articles/4936856). A letter beyond ASCII counts
# as a token, and so does a digit, as Qwen's and SmolLM2's tokenizers split numbers: rather too many than too few.
CHARACTERS_A_TOKEN = 4


def estimated_tokens(text: str) -> int:
    ascii_only = text.encode("ascii", "ignore")
    digits = len(ascii_only) - len(ascii_only.translate(None, b"0123456789"))
    beyond = len(text) - len(ascii_only)
    return math.ceil((len(ascii_only) - digits) / CHARACTERS_A_TOKEN + digits + beyond)
