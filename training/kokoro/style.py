"""Female or male, read from the style vectors that kokoro-js passes to the model at run time.

kokoro-js ships one table of 510 x 256 per voice and passes the row that belongs to the text length.
A linear layer that tells af_* from am_* rows is all this model takes from them.
"""
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

STYLE_SIZE = 256
STEEPNESS = 6.0  # the sigmoid should be 0 or 1 on real voices, hardly between


def load_voices(folder):
    """-> {name: [510, 256]} of the English voices"""
    paths = sorted(Path(folder).glob("[ab][fm]_*.bin"))
    return {p.stem: np.fromfile(p, np.float32).reshape(-1, STYLE_SIZE) for p in paths}


def is_female(name):
    return name[1] == "f"


def fit_gate(voices, steps=400):
    """Logistic regression with weight decay. -> (weight [256], bias) of a logit, positive for female voices"""
    rows = torch.tensor(np.concatenate(list(voices.values())))
    target = torch.cat([torch.full((len(v),), float(is_female(n))) for n, v in voices.items()])
    center = rows.mean(0)
    weight, bias = torch.zeros(STYLE_SIZE, requires_grad=True), torch.zeros(1, requires_grad=True)
    optimiser = torch.optim.Adam([weight, bias], 0.05)
    for _ in range(steps):
        loss = F.binary_cross_entropy_with_logits((rows - center) @ weight + bias, target) + 0.02 * (weight ** 2).sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    weight, bias = weight.detach() * STEEPNESS, bias.detach() * STEEPNESS
    return weight, bias - center @ weight


def check_gate(voices):
    """Leave one voice out. -> {voice: share of its rows on the right side}"""
    shares = {}
    for name, rows in voices.items():
        weight, bias = fit_gate({n: v for n, v in voices.items() if n != name}, steps=150)
        says_female = (torch.tensor(rows) @ weight + bias > 0).float().mean().item()
        shares[name] = says_female if is_female(name) else 1 - says_female
    return shares
