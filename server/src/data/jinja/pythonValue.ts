/**
 * Values of columns that Python has classes for: they print as Python prints them, have attributes, and compare with
 * values of their own class. They do not compute.
 */
export abstract class PythonValue {
  /** What Python calls the class. */
  abstract readonly type: string;

  /** Python's `str`. */
  abstract toString(): string;

  /** Python's `repr`. */
  abstract representation(): string;

  /** Negative, zero or positive; undefined for values without an order among each other. */
  abstract compare(other: PythonValue): number | undefined;

  /** Python's `bool`. */
  truth(): boolean {
    return true;
  }

  /** An attribute. */
  part(_name: unknown): number | undefined {
    return undefined;
  }

  toJSON(): string {
    return this.toString();
  }
}
