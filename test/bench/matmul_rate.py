"""Best float32 matrix product rate of PyTorch, 2048 x 2048 x 2048: shows whether MKL is on its fast path.

    python test/bench/matmul_rate.py THREADS
"""

import json
import sys
import time

import torch

torch.set_num_threads(int(sys.argv[1]))
a, b = torch.randn(2048, 2048), torch.randn(2048, 2048)
best = float("inf")
for _ in range(12):
    began = time.perf_counter()
    a @ b
    best = min(best, time.perf_counter() - began)
print(json.dumps({"gflops": 2 * 2048**3 / best / 1e9}))
