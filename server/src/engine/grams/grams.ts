/**
 * Gram products of per-sample gradients, without ever holding the gradients. For a module with weight [rows, columns]
 * the gradient of sample i is Yᵢᵀ Xᵢ, with Xᵢ its inputs [T, columns] and Yᵢ the cotangents of its outputs [T, rows].
 *
 *   S[i, j] = <Yᵢᵀ Xᵢ, Yⱼᵀ Xⱼ> over training and validation samples together;
 *   K = S[train, train], C = S[train, validation], diagV = diag(S[validation, validation])
 *
 * Two exact ways, whichever costs less: `GradientTiles` forms the gradients for some rows of the weight at a time,
 * `TokenProducts` never forms them and multiplies tokens with tokens, which wins for few tokens.
 */
import type { KnownGrams } from '../../../../protocol/engine.ts';
import type { EkfacInfluence } from './ekfac.ts';
import { GradientTiles } from './gradientTiles.ts';
import type { GradientTile } from './gradientTiles.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { ModuleCaptures } from '../sweep/captures.ts';
import { knownFirst } from './knownGrams.ts';
import { TokenProducts } from './tokenProducts.ts';

/** K [n, n], C [n, m], diagV [m], row-major, in the order of the samples. */
export interface ModuleGrams {
  K: Float64Array;
  C: Float64Array;
  diagV: Float64Array;
  ekfac?: EkfacInfluence | undefined;
  sums?: ModuleSums | undefined;
}

/** Of all samples, where K, C and diagV are those of a subsample. */
export interface ModuleSums {
  /** [n], summed over validation samples. */
  influence: Float64Array;
  /** Squared norms of the gradients, [n] and [m]. */
  trainSquares: Float64Array;
  validationSquares: Float64Array;
  /** null for an estimator without one. */
  damping: number | null;
}

export type Way = 'tiles' | 'tokens';

export class GramProducts {
  readonly tiles: GradientTiles;
  readonly #tokens: TokenProducts;

  private constructor(tiles: GradientTiles, tokens: TokenProducts) {
    this.tiles = tiles;
    this.#tokens = tokens;
  }

  static async create(runtime: Runtime): Promise<GramProducts> {
    return new GramProducts(await GradientTiles.create(runtime), await TokenProducts.create(runtime));
  }

  /**
   * @param captures all batches of the training split and of the validation split
   * @param train number of training samples n
   * @param validation number of validation samples m
   * @param tileSize upper bound of the numbers in one tile (one row of every sample at least)
   * @param options.way default: the cheaper one
   * @param options.known samples whose products with each other are left out, and are 0
   * @param options.see called with each tile, where that is the way
   */
  async of(
    captures: ModuleCaptures,
    train: number,
    validation: number,
    tileSize: number,
    {
      way = cheaper(captures),
      known,
      see,
    }: {
      way?: Way;
      known?: Pick<KnownGrams, 'train' | 'validation'> | undefined;
      see?: ((tile: GradientTile) => Promise<void>) | undefined;
    } = {},
  ): Promise<ModuleGrams> {
    const total = train + validation;
    const sums = new Float64Array(total * total);
    const ordered = known ? { ...captures, batches: knownFirst(captures.batches, known) } : captures;
    const first = known ? known.train + known.validation : 0;
    if (way === 'tiles') await this.tiles.addProducts(ordered, tileSize, sums, { known: first, see });
    else await this.#tokens.addProducts(ordered, sums, first);
    return arrange(sums, order(ordered, train), train, validation);
  }

  /** Lets go of the last captures; the sessions stay. */
  rest(): void {
    this.tiles.rest();
    this.#tokens.rest();
  }

  async release(): Promise<void> {
    await this.tiles.release();
    await this.#tokens.release();
  }
}

/**
 * Costs in float32 operations at the rate of large products, fitted to CPU times on two AVX-512 cores (13 to 128
 * tokens, 16 to 80 samples): forming a gradient number and reading it back costs as much as 210 operations beside 2.4
 * per token, combining two positions costs 200, and an input is shared by several modules.
 */
export function cheaper({ rows, columns, batches }: ModuleCaptures): Way {
  const samples = batches.reduce((sum, { batch }) => sum + batch.samples.length, 0);
  const tokens = batches.reduce((sum, { batch }) => sum + batch.samples.length * batch.length, 0);
  const tiles = rows * columns * (2.4 * tokens + 2 * samples * samples + 210 * samples);
  const products = tokens * tokens * (rows + 0.6 * columns + 200);
  return products < tiles ? 'tokens' : 'tiles';
}

/** Position of every sample in the order of the batches; training samples first, then validation samples. */
export function order(captures: ModuleCaptures, train: number): Int32Array {
  const positions = new Int32Array(captures.batches.reduce((sum, { batch }) => sum + batch.samples.length, 0));
  let at = 0;
  for (const { batch } of captures.batches) {
    for (const sample of batch.samples) positions[batch.split === 'train' ? sample : train + sample] = at++;
  }
  return positions;
}

/** @param sums upper triangle of S in the order of the batches */
function arrange(sums: Float64Array, position: Int32Array, n: number, m: number): ModuleGrams {
  const total = n + m;
  const at = (i: number, j: number) => {
    const [a, b] = [position[i], position[j]];
    return a <= b ? sums[a * total + b] : sums[b * total + a];
  };
  const K = new Float64Array(n * n);
  const C = new Float64Array(n * m);
  const diagV = new Float64Array(m);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) K[i * n + j] = at(i, j);
    for (let j = 0; j < m; j++) C[i * m + j] = at(i, n + j);
  }
  for (let j = 0; j < m; j++) diagV[j] = at(n + j, n + j);
  return { K, C, diagV };
}
