"""The causal Transformer in PyTorch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from floorwalker.detectors.behaviour.sequences import Field
from floorwalker.detectors.behaviour.sizes import Size
from floorwalker.detectors.behaviour.weights import offsets_of

Cache = list[tuple[torch.Tensor, torch.Tensor]]
"""Keys and values of each layer, [B, heads, T, width of a head]."""
BASE = 10_000.0


def rotation(length: int, width: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Cosines and sines of the rotary positions, float32 [length, width // 2] each (Su and others, *RoFormer*, 2021,
    equation 15)."""
    angles = np.arange(length)[:, None] * BASE ** (-np.arange(0, width, 2) / width)[None, :]
    return np.cos(angles).astype(np.float32), np.sin(angles).astype(np.float32)


class Block(nn.Module):
    """Attention to what came before, then a feed-forward network; both on normalised inputs, added to them."""

    def __init__(self, size: Size, dropout: float) -> None:
        super().__init__()
        self.heads = size.heads
        self.before = nn.LayerNorm(size.width)
        self.asked = nn.Linear(size.width, 3 * size.width)
        self.answered = nn.Linear(size.width, size.width)
        self.between = nn.LayerNorm(size.width)
        self.wide = nn.Linear(size.width, 4 * size.width)
        self.narrow = nn.Linear(4 * size.width, size.width)
        self.dropout = nn.Dropout(dropout)

    def forward(
        self, x: torch.Tensor, turn: tuple[torch.Tensor, torch.Tensor] | None, past: tuple[torch.Tensor, ...] | None
    ) -> tuple[torch.Tensor, tuple[torch.Tensor, torch.Tensor]]:
        """Of events [B, T, W] behind those in `past`: what they become, and all keys and values."""
        batch, length, width = x.shape
        split = self.asked(self.before(x)).view(batch, length, 3, self.heads, width // self.heads)
        query, key, value = split.permute(2, 0, 3, 1, 4)
        if turn is not None:
            query, key = _turned(query, turn), _turned(key, turn)
        if past is not None:
            key, value = torch.cat([past[0], key], 2), torch.cat([past[1], value], 2)
        # One event may look at everything kept; several begin at the front and look back only.
        seen = nn.functional.scaled_dot_product_attention(query, key, value, is_causal=length > 1)
        x = x + self.dropout(self.answered(seen.transpose(1, 2).reshape(batch, length, width)))
        x = x + self.dropout(self.narrow(nn.functional.gelu(self.wide(self.between(x)), approximate="tanh")))
        return x, (key, value)


def _turned(x: torch.Tensor, turn: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
    first, second = x.chunk(2, -1)
    cosine, sine = (each.to(x.dtype) for each in turn)
    return torch.cat([first * cosine - second * sine, second * cosine + first * sine], -1)


@dataclass(frozen=True)
class Seen:
    """What the model makes of windows of events.

    Parameters
    ----------
    logits : [B, T, K], of each label, the event included.
    ahead : [B, T, P], of each event's foreseen fields, from the events before it.
    hidden : [B, T, W], each event's representation.
    """

    logits: torch.Tensor
    ahead: torch.Tensor
    hidden: torch.Tensor


class TransformerModel(nn.Module):
    """Sum of the fields' embeddings behind a learned beginning, blocks, one head of labels, one of the next event."""

    def __init__(self, of: tuple[Field, ...], labels: int, size: Size, *, context: int, rotary: bool, dropout: float):
        super().__init__()
        self.size, self.context, self.rotary = size, context, rotary
        self.embedding = nn.Embedding(sum(each.size for each in of), size.width)
        nn.init.normal_(self.embedding.weight, std=0.5 / len(of) ** 0.5)
        self.beginning = nn.Parameter(torch.zeros(size.width))
        self.positions = None if rotary else nn.Parameter(0.02 * torch.randn(context + 1, size.width))
        self.blocks = nn.ModuleList(Block(size, dropout) for _ in range(size.layers))
        self.last = nn.LayerNorm(size.width)
        self.head = nn.Linear(size.width, labels)
        self.ahead = nn.Linear(size.width, sum(each.size for each in of if each.predicted))
        self.offsets: torch.Tensor
        self.cosine: torch.Tensor
        self.sine: torch.Tensor
        cosine, sine = rotation(context + 1, size.width // size.heads)
        self.register_buffer("offsets", torch.from_numpy(offsets_of(of)), persistent=False)
        self.register_buffer("cosine", torch.from_numpy(cosine), persistent=False)
        self.register_buffer("sine", torch.from_numpy(sine), persistent=False)
        # Deep sums stay small at the start (Radford and others, GPT-2, 2019, section 2.3).
        for each in self.blocks:
            assert isinstance(each, Block)
            for linear in (each.answered, each.narrow):
                nn.init.normal_(linear.weight, std=0.02 / (2 * size.layers) ** 0.5)

    def embed(self, tokens: torch.Tensor) -> torch.Tensor:
        """[..., F] -> [..., W]."""
        found: torch.Tensor = self.embedding(tokens + self.offsets).sum(-2)
        return found

    def walk(self, x: torch.Tensor, first: int, cache: Cache | None) -> tuple[torch.Tensor, Cache]:
        """Through the blocks, from position `first` on."""
        there = slice(first, first + x.shape[1])
        if self.positions is not None:
            x = x + self.positions[there]
        turn = (self.cosine[there], self.sine[there]) if self.rotary else None
        kept: Cache = []
        for number, block in enumerate(self.blocks):
            x, held = block(x, turn, None if cache is None else cache[number])
            kept.append(held)
        return self.last(x), kept

    def forward(self, tokens: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Windows [B, T, F], T at most `context`: logits, foresight and representations, as `Seen` has them."""
        beginning = self.beginning.expand(len(tokens), 1, -1)
        x, _ = self.walk(torch.cat([beginning, self.embed(tokens)], 1), 0, None)
        return self.head(x[:, 1:]), self.ahead(x[:, :-1]), x[:, 1:]
