"""Times operators of the transformer by Python's torch: a yardstick for Bitloom's own times.

Reads a shape as JSON from each line of standard input, and prints {"seconds": median of a call},
or {"failed": why} where this torch cannot compute it. Usage: yardstick.py DEVICE
"""

import json
import statistics
import sys
import time

import torch
import torch.nn.functional as F

TYPES = {"F32": torch.float32, "BF16": torch.bfloat16}
CALLS = 10
RUNS = 5


def call(op, device):
    """The operator as a function without arguments; shapes as Operator.java has them."""
    rows, tokens, seen = op["rows"], op["tokens"], op["seen or in"]
    width, heads, dtype = op["width"], op["heads"], TYPES[op["type"]]
    head = width // heads

    def random(*shape, dtype=dtype):
        return torch.randn(*shape, dtype=dtype, device=device)

    kind = op["operator"]
    if kind == "product":
        x, weight, bias = random(rows, tokens, seen), random(width, seen), random(width)
        return lambda: F.linear(x, weight, bias)
    if kind == "attention":
        # Queries come in float32, as they do after the rotation.
        q = random(rows, tokens, heads, head, dtype=torch.float32)
        k, v = random(rows, seen, heads, head), random(rows, seen, heads, head)
        return lambda: F.scaled_dot_product_attention(
            q.to(dtype).transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2)
        ).transpose(1, 2).flatten(2, 3)
    if kind == "norm":
        x = random(rows, tokens, width, dtype=torch.float32)
        scale, shift = (random(rows, 1, width, dtype=torch.float32) for _ in range(2))
        return lambda: torch.addcmul(shift, F.layer_norm(x, (width,), eps=1e-6), scale)
    if kind == "rotation":
        qkv = random(rows, tokens, 3, heads, head)
        factor = random(1, 1, heads, 1, dtype=torch.float32)
        angles = torch.view_as_complex(random(1, tokens, 1, head // 2, 2, dtype=torch.float32))
        keys, values = random(rows, seen, heads, head), random(rows, seen, heads, head)

        def turned(x):
            pairs = torch.view_as_complex(x.reshape(rows, tokens, heads, head // 2, 2))
            return torch.view_as_real(pairs * angles).flatten(3)

        def rotate():
            q, k, v = qkv.unbind(2)
            turned(F.normalize(q.float(), dim=-1) * factor)
            keys[:, seen - tokens :] = turned(F.normalize(k.float(), dim=-1))
            values[:, seen - tokens :] = v

        return rotate
    if kind == "gate":
        x, added = random(rows, tokens, width, dtype=torch.float32), random(rows, tokens, width)
        gate = random(rows, 1, width, dtype=torch.float32)
        return lambda: torch.addcmul(x, added, gate)
    if kind == "convolution":
        side = round(tokens**0.5)
        x, weight, bias = random(rows, seen, side, side), random(width, seen, 3, 3), random(width)
        return lambda: F.conv2d(x, weight, bias, padding=1)
    raise SystemExit(f"yardstick.py: no operator {kind}")


def seconds(run, wait):
    """The median over runs of some calls; the first run warms up."""
    times = []
    for _ in range(RUNS + 1):
        wait()
        start = time.perf_counter()
        for _ in range(CALLS):
            run()
        wait()
        times.append((time.perf_counter() - start) / CALLS)
    return statistics.median(times[1:])


def main():
    device = torch.device(sys.argv[1])
    wait = torch.cuda.synchronize if device.type == "cuda" else lambda: None
    with torch.inference_mode():
        for line in sys.stdin:
            try:
                answer = {"seconds": seconds(call(json.loads(line), device), wait)}
            except (AttributeError, RuntimeError) as error:  # an old torch, no memory, no kernel
                answer = {"failed": str(error)}
            print(json.dumps(answer))


if __name__ == "__main__":
    main()
