/** Input and words of Prune and Evaluate. No `vscode` here: unit-tested as plain functions. */

/** "0.3, 50 %" -> [0.3, 0.5]; a sentence that says what is wrong else. */
export function readSparsities(text: string): number[] | string {
  const words = text
    .split(/[,;]/)
    .map((word) => word.trim())
    .filter((word) => word !== '');
  if (words.length === 0) return 'Give at least one number, such as 0.5';
  const numbers: number[] = [];
  for (const word of words) {
    const percent = word.endsWith('%');
    const value = Number(percent ? word.slice(0, -1).trim() : word) / (percent ? 100 : 1);
    if (!(value > 0 && value < 1))
      return `"${word}" is no sparsity: give numbers above 0 and below 1, such as 0.5, or 50 %`;
    numbers.push(value);
  }
  return [...new Set(numbers)];
}
