/**
 * Canonical correlations of two views of the same rows: directions of each view whose projections correlate most.
 *
 *   K = (Sxx + e I)^(-1/2) Sxy (Syy + e I)^(-1/2) = U R V^T,   directions  Px = U^T (Sxx + e I)^(-1/2),  Py = V^T (Syy + e I)^(-1/2)
 *
 * Covariances of each view are divided by their largest entry first, and columns whose variance is below e are left
 * out, as the code of arXiv 2211.03929 does. On other rows the correlations are those of the projections; PWCCA
 * (Morcos et al., arXiv 1806.05759) weights them by how much of the smaller view lies in their projection.
 */
import type { Rows } from './classifier.ts';
import { symmetricEigen } from '../linear/eigenvectors.ts';

export interface Directions {
  /** Directions: how many, at most the columns of the smaller view. */
  count: number;
  /** count x width of each view, strongest first. */
  x: Float64Array;
  y: Float64Array;
  /** On the rows that they were fitted on. */
  correlations: Float64Array;
}

/** Covariances of some rows, from which directions follow for any regulariser. */
export interface Moments {
  widthX: number;
  widthY: number;
  xx: Float64Array;
  yy: Float64Array;
  xy: Float64Array;
}

export interface Evaluated {
  pwcca: number;
  mean: number;
  correlations: Float64Array;
  /** Weights of PWCCA, adding up to 1. */
  weights: Float64Array;
  /** Projections, centred: count x rows. */
  h: Float64Array;
  k: Float64Array;
}

/** Of the columns: rows become centred copies, column-major. */
export function centredColumns({ data, width }: Rows, chosen: readonly number[]): Float64Array {
  const n = chosen.length;
  const columns = new Float64Array(width * n);
  for (let j = 0; j < width; j++) {
    let mean = 0;
    for (let i = 0; i < n; i++) mean += columns[j * n + i] = data[chosen[i] * width + j];
    mean /= n;
    for (let i = 0; i < n; i++) columns[j * n + i] -= mean;
  }
  return columns;
}

/** A B^T for rows of length n. */
function products(a: Float64Array, b: Float64Array, n: number): Float64Array {
  const [p, q] = [a.length / n, b.length / n];
  const out = new Float64Array(p * q);
  for (let i = 0; i < p; i++) {
    // Of a matrix with itself only the part that decides: the other follows.
    const end = a === b ? i + 1 : q;
    let j = 0;
    for (; j + 4 <= end; j += 4) {
      let [s0, s1, s2, s3] = [0, 0, 0, 0];
      for (let t = 0, u = i * n, v = j * n; t < n; t++, u++, v++) {
        const own = a[u];
        s0 += own * b[v];
        s1 += own * b[v + n];
        s2 += own * b[v + 2 * n];
        s3 += own * b[v + 3 * n];
      }
      out.set([s0, s1, s2, s3], i * q + j);
    }
    for (; j < end; j++) {
      let sum = 0;
      for (let t = 0, u = i * n, v = j * n; t < n; t++) sum += a[u++] * b[v++];
      out[i * q + j] = sum;
    }
    if (a === b) for (j = 0; j < i; j++) out[j * q + i] = out[i * q + j];
  }
  return out;
}

export function momentsOf(x: Rows, y: Rows, chosen: readonly number[]): Moments {
  const n = chosen.length;
  const [a, b] = [centredColumns(x, chosen), centredColumns(y, chosen)];
  const covariance = (left: Float64Array, right: Float64Array) => products(left, right, n).map((s) => s / (n - 1));
  return { widthX: x.width, widthY: y.width, xx: covariance(a, a), yy: covariance(b, b), xy: covariance(a, b) };
}

/** Covariance divided by its largest entry, and (S + e I)^(-1/2) over the columns that vary enough. */
interface Whitening {
  width: number;
  kept: number[];
  largest: number;
  values: Float64Array;
  vectors: Float64Array;
}

/**
 * Directions for each regulariser.
 * @throws Error for a view that does not vary at all
 */
export function directionsOf(moments: Moments, epsilons: readonly number[]): Directions[] {
  const { widthX, widthY, xy } = moments;
  const whiten = [whitener(moments.xx, widthX), whitener(moments.yy, widthY)];
  return epsilons.map((epsilon) => {
    const [a, b] = whiten.map((of) => of(epsilon));
    const [p, q] = [a.kept.length, b.kept.length];
    const cross = new Float64Array(p * q);
    const scale = Math.sqrt(a.largest * b.largest);
    a.kept.forEach((i, r) => b.kept.forEach((j, c) => (cross[r * q + c] = xy[i * widthY + j] / scale)));
    const [left, right] = [inverseRoot(a, epsilon), inverseRoot(b, epsilon)];
    const k = times(times(left, cross, p, p, q), right, p, q, q);
    // Singular vectors of the smaller side from K K^T or K^T K, those of the other side by K.
    const wide = p <= q;
    const m = Math.min(p, q);
    const turned = wide ? k : transpose(k, p, q);
    const long = Math.max(p, q);
    const { values, vectors } = symmetricEigen(products(turned, turned, long), m);
    const order = Array.from(values, (_, i) => i).sort((i, j) => values[j] - values[i]);
    const correlations = Float64Array.from(order, (i) => Math.sqrt(Math.max(0, values[i])));
    const short = new Float64Array(m * m);
    order.forEach((from, i) => {
      for (let j = 0; j < m; j++) short[i * m + j] = vectors[j * m + from];
    });
    const other = times(short, turned, m, m, long);
    correlations.forEach((r, i) => {
      // Below a rounding error of K the direction of the other side means nothing.
      const factor = r > 1e-7 ? 1 / r : 0;
      for (let j = 0; j < long; j++) other[i * long + j] *= factor;
    });
    const [u, v] = wide ? [short, other] : [other, short];
    return {
      count: m,
      correlations,
      x: spread(times(u, left, m, p, p), a, m),
      y: spread(times(v, right, m, q, q), b, m),
    };
  });
}

/** Decomposed once for each set of columns that is kept. */
function whitener(covariance: Float64Array, width: number): (epsilon: number) => Whitening {
  let largest = 0;
  for (const value of covariance) largest = Math.max(largest, Math.abs(value));
  if (largest === 0) throw new Error('a view is the same in all rows');
  const known = new Map<string, Whitening>();
  return (epsilon) => {
    const kept = Array.from({ length: width }, (_, i) => i).filter(
      (i) => covariance[i * width + i] / largest >= epsilon,
    );
    const key = kept.join();
    let found = known.get(key);
    if (!found) {
      const n = kept.length;
      const own = new Float64Array(n * n);
      kept.forEach((i, r) => kept.forEach((j, c) => (own[r * n + c] = covariance[i * width + j] / largest)));
      found = { width, kept, largest, ...symmetricEigen(own, n) };
      known.set(key, found);
    }
    return found;
  };
}

function inverseRoot({ kept, values, vectors }: Whitening, epsilon: number): Float64Array {
  const n = kept.length;
  const scaled = new Float64Array(n * n);
  for (let k = 0; k < n; k++) {
    const root = 1 / Math.sqrt(Math.max(values[k], 0) + epsilon);
    for (let i = 0; i < n; i++) scaled[i * n + k] = vectors[i * n + k] * root;
  }
  return products(scaled, vectors, n);
}

/** p x q times q x r, row-major. */
function times(a: Float64Array, b: Float64Array, p: number, q: number, r: number): Float64Array {
  const out = new Float64Array(p * r);
  for (let i = 0; i < p; i++) {
    for (let k = 0; k < q; k++) {
      const own = a[i * q + k];
      if (own !== 0) for (let j = 0; j < r; j++) out[i * r + j] += own * b[k * r + j];
    }
  }
  return out;
}

function transpose(a: Float64Array, rows: number, columns: number): Float64Array {
  const out = new Float64Array(a.length);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) out[j * rows + i] = a[i * columns + j];
  return out;
}

/** Columns back in their places; those left out are 0. */
function spread(directions: Float64Array, { width, kept }: Whitening, count: number): Float64Array {
  const out = new Float64Array(count * width);
  for (let i = 0; i < count; i++)
    kept.forEach((column, j) => (out[i * width + column] = directions[i * kept.length + j]));
  return out;
}

/** Correlations of the projections of other rows, their mean and their mean weighted by projection. */
export function evaluateDirections(directions: Directions, x: Rows, y: Rows, chosen: readonly number[]): Evaluated {
  const n = chosen.length;
  const { count } = directions;
  const [a, b] = [centredColumns(x, chosen), centredColumns(y, chosen)];
  const h = times(directions.x, a, count, x.width, n);
  const k = times(directions.y, b, count, y.width, n);
  const correlations = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    let [hk, hh, kk] = [0, 0, 0];
    for (let t = i * n; t < (i + 1) * n; t++) {
      hk += h[t] * k[t];
      hh += h[t] * h[t];
      kk += k[t] * k[t];
    }
    correlations[i] = hh > 0 && kk > 0 ? hk / Math.sqrt(hh * kk) : 0;
  }
  const weights = x.width <= y.width ? projectionWeights(h, a, count, n) : projectionWeights(k, b, count, n);
  let [pwcca, mean] = [0, 0];
  for (let i = 0; i < count; i++) {
    pwcca += weights[i] * correlations[i];
    mean += correlations[i] / count;
  }
  return { pwcca, mean, correlations, weights, h, k };
}

/** a_i = sum over the view's columns of |<q_i, column>|, q the projections made orthonormal in their order; sum 1. */
function projectionWeights(projections: Float64Array, columns: Float64Array, count: number, n: number): Float64Array {
  const q = projections.slice();
  for (let i = 0; i < count; i++) {
    const own = q.subarray(i * n, (i + 1) * n);
    const size = norm(own);
    // Twice is enough for orthogonality to the last digits.
    for (let round = 0; round < 2; round++) {
      for (let j = 0; j < i; j++) {
        let dot = 0;
        for (let t = 0; t < n; t++) dot += own[t] * q[j * n + t];
        for (let t = 0; t < n; t++) own[t] -= dot * q[j * n + t];
      }
    }
    const left = norm(own);
    // What is left of a projection that the others span is a rounding error.
    const factor = left > 1e-10 * size && left > 0 ? 1 / left : 0;
    for (let t = 0; t < n; t++) own[t] *= factor;
  }
  const inner = products(q, columns, n);
  const width = columns.length / n;
  const weights = new Float64Array(count);
  let total = 0;
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < width; j++) weights[i] += Math.abs(inner[i * width + j]);
    total += weights[i];
  }
  return weights.map((weight) => (total > 0 ? weight / total : 1 / count));
}

function norm(values: Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value * value;
  return Math.sqrt(sum);
}

/**
 * Rows on their first principal components, not scaled.
 * @returns the rows themselves where they have no more columns; and the share of their variance that is kept
 */
export function reduced(rows: Rows, components: number): { rows: Rows; share: number } {
  const { count, width } = rows;
  if (width <= components) return { rows, share: 1 };
  const columns = centredColumns(
    rows,
    Array.from({ length: count }, (_, i) => i),
  );
  const { values, vectors } = symmetricEigen(products(columns, columns, count), width);
  const data = new Float64Array(count * components);
  let [kept, total] = [0, 0];
  for (const value of values) total += Math.max(0, value);
  const basis = new Float64Array(components * width);
  for (let c = 0; c < components; c++) {
    kept += Math.max(0, values[width - 1 - c]);
    for (let j = 0; j < width; j++) basis[c * width + j] = vectors[j * width + width - 1 - c];
  }
  const projected = times(basis, columns, components, width, count);
  for (let c = 0; c < components; c++)
    for (let i = 0; i < count; i++) data[i * components + c] = projected[c * count + i];
  return { rows: { data, count, width: components }, share: total > 0 ? kept / total : 1 };
}
