/** What a data file holds, for a person who chooses columns of it. */

export interface DescribedColumn {
  name: string;
  /** Value of the first row as text, shortened. */
  first: string;
  /** Characters of a value as text: mean over the rows that were read. */
  length: number;
  /** Different values in order of appearance, where they are few and repeat; else null. */
  labels: DataLabel[] | null;
  /** Where the rows are sorted by the labels: first row of each label, from 0; else null. */
  sortedFrom: number[] | null;
}

export type DataLabel = string | number | boolean;

export interface DescribedData {
  columns: DescribedColumn[];
  /** Split -> rows; those of the split column where there is one. */
  splits: Record<string, number>;
  /** Column whose values are names of splits. */
  splitColumn: string | null;
}
