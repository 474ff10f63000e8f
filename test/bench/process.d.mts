export function measured(
  command: readonly string[],
  options?: { cwd?: string; env?: Record<string, string> },
): Promise<{
  stdout: string;
  processSeconds: number;
  /** Null where /proc does not say it. */
  cpuSeconds: number | null;
  /** Bytes. */
  peak: { resident: number; anonymous: number } | null;
}>;
