"""What random.Random(seed).sample(range(n), k) of CPython gives, one draw after the other. Writes python_random.json."""

import json
import os
import random

cases = []
for seed in (0, 1, 1234, 2**32 + 5):
    rnd = random.Random(seed)
    cases.append([seed, [[n, k, rnd.sample(range(n), k)] for n, k in [(5, 3), (300, 5), (21, 5), (22, 5), (1000, 6), (85, 6), (86, 6), (7, 7), (100000, 64), (3, 1), (1, 1), (64, 4), (340, 32)]]])
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "python_random.json"), "w") as file:
    json.dump(cases, file)
    file.write("\n")
