/**
 * Which files hold data, by their names; the server's table of formats has the same endings (a test compares them). No
 * `vscode` here.
 */

export const dataEndings: readonly string[] = [
  '.jsonl',
  '.ndjson',
  '.json',
  '.csv',
  '.tsv',
  '.parquet',
  '.arrow',
  '.txt',
];
/** Behind an ending: read while it is unpacked. */
const packed = ['', '.gz', '.zst'];

export const dataGlob = `**/*{${packed.flatMap((more) => dataEndings.map((ending) => ending + more)).join(',')}}`;

/** Files of models, packages and runs, and files about data, that end like data. */
const notData =
  /(^|\/)((adapter_|generation_|preprocessor_|processor_|tokenizer_)?config|tokenizer|added_tokens|special_tokens_map|vocab|package|package-lock|composer|tsconfig[^/]*|jsconfig|dataset_infos?|dataset_dict|state|[^/]*\.index|[^/]*\.layerif-[a-z-]+|[^/]*\.(code-workspace|schema))\.json$|(^|\/)(merges|requirements[^/]*|LICEN[CS]E[^/]*|NOTICE[^/]*|README[^/]*|CMakeLists|robots|PROVENANCE)\.txt$|(^|\/)\./i;

export function isDataFile(path: string): boolean {
  const name = path.toLowerCase();
  return !notData.test(path) && packed.some((more) => dataEndings.some((ending) => name.endsWith(ending + more)));
}
