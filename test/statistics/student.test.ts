import assert from 'node:assert/strict';
import { test } from 'node:test';
import { studentQuantile, studentTail } from '../../server/src/statistics/student.ts';

/** scipy.stats.t.ppf((1 + level) / 2, degrees) */
const scipy: [level: number, degrees: number, t: number][] = [
  [0.9, 1, 6.313751514675037],
  [0.9, 3.7, 2.1824938039146007],
  [0.9, 200.5, 1.652488923514028],
  [0.95, 1, 12.706204736174694],
  [0.95, 2, 4.302652729749462],
  [0.95, 9, 2.262157162798205],
  [0.95, 30, 2.0422724563012378],
  [0.95, 1e6, 1.959966356814107],
  [0.99, 1, 63.656741162871526],
  [0.99, 9, 3.249835541592126],
];

test("Student's t agrees with scipy", () => {
  for (const [level, degrees, t] of scipy) {
    const found = studentQuantile(level, degrees);
    assert.ok(Math.abs(found / t - 1) < 1e-9, `${level}, ${degrees}: ${found}, scipy ${t}`);
    assert.ok(Math.abs(studentTail(t, degrees) - (1 - level)) < 1e-10);
  }
  assert.equal(studentTail(0, 5), 1);
  assert.throws(() => studentQuantile(1, 5), /level 1/);
  assert.throws(() => studentQuantile(0.9, 0), /degrees 0/);
});
