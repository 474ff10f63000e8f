/**
 * Garbage collection on demand. Outputs of ONNX Runtime are native memory that is held by small JavaScript objects; the
 * collector sees the small ones only and would let gigabytes wait.
 */
import v8 from 'node:v8';
import vm from 'node:vm';

let collector: (() => void) | null = null;

export function collectGarbage(): void {
  if (!collector) {
    v8.setFlagsFromString('--expose-gc');
    collector = vm.runInNewContext('gc') as () => void;
  }
  collector();
}
