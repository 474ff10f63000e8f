"""Numbers for the statistics of tables, from scipy and scikit-learn; writes table.csv and reference.json.

    python make.py && Rscript mgcv.R      (R with mgcv; mgcv.R reads table.csv and writes mgcv.json)
"""
import csv
import json
import pathlib

import numpy as np
from scipy import stats
from sklearn.cluster import KMeans
from sklearn.manifold import _t_sne
from sklearn.metrics import silhouette_score

here = pathlib.Path(__file__).parent
rng = np.random.default_rng(42)

# A table as a leaderboard has it: scores that depend on the size by a curve, on the kind by a shift, and on the architecture at random.
n = 120
architectures = [f'arch{i}' for i in range(8)]
effect = dict(zip(architectures, rng.normal(0, 3, 8)))
rows = []
for i in range(n):
    params = float(np.exp(rng.uniform(np.log(0.3), np.log(80))))
    architecture = architectures[rng.integers(8)]
    kind = ['pretrained', 'fine-tuned', 'instruction-tuned'][rng.integers(3)]
    shift = {'pretrained': 0.0, 'fine-tuned': 2.0, 'instruction-tuned': 6.0}[kind]
    arc = 40 + 6 * np.log(params) + 4 * np.sin(1.3 * np.log(params)) + shift + effect[architecture] + rng.normal(0, 2)
    mmlu = 30 + 7 * np.log1p(params) + shift + rng.normal(0, 3)
    other = rng.normal(50, 5)
    rows.append([f'model-{i}', kind, architecture, round(params, 4), round(arc, 4), round(mmlu, 4), round(other, 4)])
with open(here / 'table.csv', 'w', newline='') as file:
    writer = csv.writer(file, lineterminator='\n')
    writer.writerow(['model', 'Type', 'Architecture', 'Params', 'ARC', 'MMLU', 'Noise'])
    writer.writerows(rows)


def compared(groups):
    f, p = stats.f_oneway(*groups)
    tukey = stats.tukey_hsd(*groups)
    interval = tukey.confidence_interval(0.95)
    levene = stats.levene(*groups, center='median')
    pairs = [(a, b) for a in range(len(groups)) for b in range(a + 1, len(groups))]
    everything = np.concatenate(groups)
    between = sum(len(g) * (np.mean(g) - everything.mean()) ** 2 for g in groups)
    total = ((everything - everything.mean()) ** 2).sum()
    return {
        'groups': [list(map(float, g)) for g in groups],
        'f': float(f), 'p': float(p), 'eta': float(between / total),
        'levene': [float(levene.statistic), float(levene.pvalue)],
        'tukey': [
            {'a': a, 'b': b, 'difference': float(np.mean(groups[b]) - np.mean(groups[a])), 'p': float(tukey.pvalue[a, b]),
             # scipy's interval is that of a less b
             'low': float(-interval.high[a, b]), 'high': float(-interval.low[a, b])}
            for a, b in pairs
        ],
    }


by = {}
for row in rows:
    by.setdefault(row[1], []).append(row[4])
cases = [
    [[1, 2, 3, 4], [2, 4, 6, 8], [5, 6, 7, 8]],
    list(by.values()),
    [list(rng.normal(m, s, k)) for m, s, k in [(0, 1, 5), (0.5, 2, 9), (3, 1, 3), (0, 1, 14), (1, 0.5, 2)]],
    [list(rng.normal(0, 1, 6)), list(rng.normal(1, 1, 8))],
]

ranges = []
for k in (2, 3, 6, 20):
    for degrees in (1, 2, 5, 10, 117, 2000):
        for q in (0.5, 2.0, 3.5, 6.0, 20.0):
            ranges.append([k, degrees, q, float(stats.studentized_range.sf(q, k, degrees))])
quantiles = [[k, d, level, float(stats.studentized_range.ppf(level, k, d))] for k, d in ((2, 5), (3, 10), (6, 117), (20, 30)) for level in (0.5, 0.95, 0.99)]

normal = [[float(z), float(stats.norm.cdf(z))] for z in np.linspace(-12, 12, 49)]
f_tails = [[f, a, b, float(stats.f.sf(f, a, b))] for f in (0.1, 1.0, 4.9, 60.0) for a, b in ((1, 1), (2, 9), (5, 899), (7.5, 30.25))]

points = np.concatenate([rng.normal(c, 0.6, (20, 3)) for c in ([0, 0, 0], [4, 0, 0], [0, 5, 1])])
clusterings = []
for k in (2, 3, 4):
    found = KMeans(k, n_init=50, random_state=0).fit(points)
    clusterings.append({'k': k, 'inertia': float(found.inertia_), 'labels': found.labels_.tolist(), 'silhouette': float(silhouette_score(points, found.labels_))})

small = points[::4]
distances = ((small[:, None] - small[None]) ** 2).sum(-1)
joint = _t_sne._joint_probabilities(distances.astype(np.float32), 4.0, 0)
plane = rng.normal(0, 1, (len(small), 2))
divergence, gradient = _t_sne._kl_divergence(plane.ravel(), joint, 1.0, len(small), 2)

reference = {
    'anova': [compared(groups) for groups in cases],
    'studentizedRange': ranges, 'studentizedQuantiles': quantiles, 'normal': normal, 'fTails': f_tails,
    'points': points.round(12).tolist(), 'kMeans': clusterings,
    'tsne': {'points': small.tolist(), 'perplexity': 4, 'joint': joint.tolist(), 'plane': plane.tolist(), 'divergence': float(divergence), 'gradient': gradient.tolist()},
}
(here / 'reference.json').write_text(json.dumps(reference) + '\n')
