/** What the products of large matrices are computed with. */

/** a [m, k] times b [k, n], row-major, of one number type; the engine brings ONNX Runtime, tests a plain loop. */
export interface Products {
  multiply<T extends Float32Array | Float64Array>(a: T, b: T, m: number, k: number, n: number): Promise<T>;
}
