/** Tables in Markdown of what scores cost; `scripts/generate-docs.mjs` puts them into docs/benchmarks.md. */

const s = (seconds) => seconds.toFixed(1);
const gib = (bytes) => (bytes / 2 ** 30).toFixed(1);
const ratio = (a, b) => (a / b).toFixed(2);
const versionsOf = (versions) =>
  Object.entries(versions)
    .map(([name, version]) => `${name} ${version}`)
    .join(', ');
const where = ({ date, machine, cores, load }) => `${date}, ${machine}, ${cores} cores, load ${load}.`;

/** Forward-only scores, their sweep, and PyTorch with hooks. */
function forward(found) {
  const { texts, length, layers, drop, scores, bare, observed, tables, one, dropped, memory, hooks } = found;
  const rows = [
    ['LayerIF: bare sweep, embedding and layers, nothing looked at', bare],
    [`LayerIF: the same with what ${scores.map((id) => `\`${id}\``).join(', ')} need`, observed],
    ['LayerIF: their tables with intervals, which does not grow with the texts', tables],
    ...(hooks
      ? [
          ['PyTorch: bare sweep', hooks.bare],
          ['PyTorch: the same with hooks for these reductions', hooks.observed],
          ['PyTorch: angles and CKA of them, without intervals', hooks.tables],
        ]
      : []),
    [`LayerIF, ${drop} texts: layers and head`, one],
    [`LayerIF, ${drop} texts: losses without each of the ${layers} layers`, dropped],
  ];
  const beside = hooks
    ? ` Beside PyTorch's hooks the sweep with observations takes ${ratio(observed.cpu, hooks.observed.cpu)} times the CPU seconds and ${ratio(observed.wall, hooks.observed.wall)} times the wall seconds; the highest resident memory of the whole process is ${gib(memory)} GiB beside ${gib(hooks.memory)} (${versionsOf(hooks.versions)}).`
    : '';
  return `${texts} texts of ${length} random tokens, ${layers} layers, ${found.threads} threads, once, in turn.

|  | CPU seconds |
| --- | ---: |
${rows.map(([what, { cpu }]) => `| ${what} | ${s(cpu)} |`).join('\n')}

Observing takes ${ratio(observed.cpu, bare.cpu)} times the bare sweep's CPU seconds, with the tables ${ratio(observed.cpu + tables.cpu, bare.cpu)} (goal: 1.3). Losses without each layer take ${ratio(dropped.cpu, layers * one.cpu)} of as many whole forward passes (goal: 0.7).${beside} ${where(found)}`;
}

function gradients(found) {
  const { train, validation, length, scores, without, with: beside } = found;
  return `Scores of gradients in an influence run with exact Grams on ${train} training and ${validation} validation texts of ${length} tokens, ${found.threads} threads, best of ${found.counted}: ${s(without.cpu)} CPU seconds without them, ${s(beside.cpu)} with ${scores.map((id) => `\`${id}\``).join(', ')} on the same training texts, ${ratio(beside.cpu, without.cpu)} times as many (goal: 1.25); ${ratio(beside.wall, without.wall)} times the wall seconds. They look at each entry of every matrix for each of eight batches, whatever the number of texts; Grams grow with the square of it. ${where(found)}`;
}

function tokens(found) {
  const { rows, length, bare, scores } = found;
  const [few, many] = rows;
  const more = ({ cpu }) => cpu[1] - cpu[0];
  const line = (name, one) =>
    `| ${name} | ${s(one.cpu[0])} | ${s(one.cpu[1])} | ${s(more(one))} | ${one.peak.map((bytes) => (bytes / 2 ** 30).toFixed(2)).join(' and ')} |`;
  return `Rows of ${length} tokens, of which the second half is the answer; \`loss\` and \`token_mask\` from the file to the tables, ${found.chunk} rows at a time, beside the sweep alone (embedding, layers, and the head on the answers); CPU seconds of all processes, ${found.threads} threads.

|  | ${few} rows, CPU s | ${many} rows, CPU s | ${many - few} rows more | peak GiB, ${few} and ${many} rows |
| --- | ---: | ---: | ---: | ---: |
${line('sweep alone', bare)}
${line('`loss` and `token_mask`', scores)}

Rows more cost ${ratio(more(scores), more(bare))} times what their sweep costs (goal: 1.1). Memory is that of a chunk (2048 rows unless a test says otherwise), whatever the number of rows; an interrupted run goes on behind the last batch that was kept. ${where(found)}`;
}

const parts = { forward, gradients, tokens };

/** By the name of the part in the document. @param results `scoreResults.json` */
export function scoreParts(results) {
  return Object.fromEntries(Object.entries(parts).map(([name, part]) => [`bench_${name}`, part(results[name])]));
}
