"""A decoder stack with random weights: the work of a language model without its answers. Its shape
alone decides what a step costs, unless the weights hold mostly zeros."""

import dataclasses

import torch
import torch.nn.functional as F


@dataclasses.dataclass(frozen=True)
class Shape:
    """Llama-3.1-8B's."""
    layers: int = 32
    width: int = 4096
    heads: int = 32
    kv_heads: int = 8
    inner: int = 14_336
    vocabulary: int = 128_256

    @property
    def head(self):
        return self.width // self.heads

    @property
    def kv_kilobytes_per_token(self):
        """16-bit keys and values."""
        return self.layers * 2 * self.kv_heads * self.head * 2 / 1024


class Stack:
    def __init__(self, shape=Shape(), device="cuda"):
        self.shape, self.device = shape, device

        def matrix(rows, columns):
            scale = columns ** -0.5
            return torch.randn(rows, columns, device=device, dtype=torch.bfloat16) * scale

        attention = (shape.heads + 2 * shape.kv_heads) * shape.head
        self.blocks = [(
            matrix(attention, shape.width), matrix(shape.width, shape.width),
            matrix(2 * shape.inner, shape.width), matrix(shape.width, shape.inner))
            for _ in range(shape.layers)]
        self.embedding = matrix(shape.vocabulary, shape.width)

    @property
    def gigabytes(self):
        matrices = [matrix for block in self.blocks for matrix in block] + [self.embedding]
        return sum(matrix.numel() * matrix.element_size() for matrix in matrices) / 1e9

    def synchronise(self):
        if self.device == "cuda":
            torch.cuda.synchronize()

    def _pass(self, hidden, keys_values, causal):
        shape = self.shape
        batch, length, _ = hidden.shape
        for index, (projection, output, up, down) in enumerate(self.blocks):
            normal = F.rms_norm(hidden, (shape.width,))
            parts = F.linear(normal, projection).view(batch, length, -1, shape.head)
            query, key, value = parts.transpose(1, 2).split(
                [shape.heads, shape.kv_heads, shape.kv_heads], dim=1)
            if keys_values is not None:
                held_keys, held_values = keys_values[index]
                held_keys[:, :, -1:] = key
                held_values[:, :, -1:] = value
                key, value = held_keys, held_values
            mixed = F.scaled_dot_product_attention(
                query, key, value, is_causal=causal, enable_gqa=True)
            hidden = hidden + F.linear(mixed.transpose(1, 2).flatten(2), output)
            gate, rise = F.linear(F.rms_norm(hidden, (shape.width,)), up).chunk(2, dim=-1)
            hidden = hidden + F.linear(F.silu(gate) * rise, down)
        return F.linear(hidden[:, -1], self.embedding).argmax(-1)

    def _graph(self, work):
        """The work as one launch, as engines have it; as it is where there are no graphs."""
        with torch.no_grad():
            work()
            if self.device != "cuda":
                return work
            side = torch.cuda.Stream()
            with torch.cuda.stream(side):
                for _ in range(2):
                    work()
            torch.cuda.current_stream().wait_stream(side)
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph):
                work()
        return graph.replay

    def decode(self, batch, context):
        """One token for each of `batch` sequences of `context` tokens, to be called again and again."""
        shape = self.shape
        size = (batch, shape.kv_heads, context, shape.head)
        keys_values = [tuple(
            torch.randn(size, device=self.device, dtype=torch.bfloat16) for _ in range(2))
            for _ in range(shape.layers)]
        hidden = torch.randn(
            batch, 1, shape.width, device=self.device, dtype=torch.bfloat16)
        return self._graph(lambda: self._pass(hidden, keys_values, causal=False))

    def prefill(self, tokens):
        """A chunk of a prompt, to be called again and again."""
        hidden = torch.randn(
            1, tokens, self.shape.width, device=self.device, dtype=torch.bfloat16)
        return self._graph(lambda: self._pass(hidden, None, causal=True))
