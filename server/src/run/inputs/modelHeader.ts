/**
 * What the headers of a model's files say, for the editor *Model Layers*: a .gguf, .safetensors or .onnx file, or a
 * model of the hub, of which the headers alone are fetched. Names of files are data: they are shown and never followed.
 */
import fs from 'node:fs';
import path from 'node:path';
import { LayerifError } from '../../../../protocol/errors.ts';
import type { ModelHeader } from '../../../../protocol/modelHeader.ts';
import { withFile } from '../../checkpoints/fileBytes.ts';
import { cachedModel, modelFiles } from '../../checkpoints/hubModel.ts';
import type { ByteSource } from '../../files/byteSource.ts';
import { isHubId, snapshotFolder } from '../../hub/cache.ts';
import type { Listing, RemoteFile } from '../../hub/cache.ts';
import { offlineBy } from '../../hub/environment.ts';
import type { Wanted } from '../../hub/errors.ts';
import { readRemoteHeader } from '../../hub/ranges.ts';
import { nearestNames } from '../../text/nearest.ts';
import { headerFormats } from './headerFormats.ts';
import type { FileHeader, HeaderFormat } from './headerFormats.ts';
import { headerOf } from './headerTensors.ts';
import { listingOf, textOf } from './hubInputs.ts';

/** Shards whose headers are asked for at a time. */
const PARALLEL = 6;

/**
 * @param target absolute path of a file, or `org/name`, `org/name@revision`, with `/FILE` behind it for one file
 * @throws LayerifError `badModel`: damaged, too large, of another kind, not there; what the hub refuses
 */
export async function modelHeader(target: string, signal?: AbortSignal): Promise<ModelHeader> {
  if (path.isAbsolute(target)) return headerOf(path.basename(target), [ofFile(target)]);
  const [, id = '', revision = 'main', name] = /^([^/@]+\/[^/@]+)(?:@([^/]+))?(?:\/(.+))?$/.exec(target) ?? [];
  if (!isHubId(id))
    throw new LayerifError(
      'badModel',
      `${target} is neither an absolute path nor a model of the hub; write org/name, org/name@revision or org/name/FILE`,
    );
  return headerOf(target, await ofHub({ repo: { type: 'model', id }, revision }, name, signal));
}

function formatOf(name: string): HeaderFormat {
  const format = headerFormats.find(({ ending }) => name.toLowerCase().endsWith(ending));
  if (format) return format;
  throw new LayerifError(
    'badModel',
    `${name} has no header that is known; open a file that ends in ${headerFormats.map(({ ending }) => ending).join(', ')}`,
  );
}

function ofFile(file: string, name = path.basename(file)): FileHeader {
  const { read } = formatOf(file);
  return withFile(file, (source) => ({ name, bytes: source.size, ...read(source) }));
}

async function ofHub(wanted: Wanted, name: string | undefined, signal?: AbortSignal): Promise<FileHeader[]> {
  const { id } = wanted.repo;
  if (offlineBy() !== null) return ofCache(id, wanted.revision, name);
  const listing = await listingOf(wanted, signal);
  const files = await chosen(wanted, listing, name, signal);
  const headers: FileHeader[] = [];
  for (let first = 0; first < files.length; first += PARALLEL)
    headers.push(
      ...(await Promise.all(
        files.slice(first, first + PARALLEL).map((file) => ofRemote(wanted, listing.commit, file, signal)),
      )),
    );
  return headers;
}

async function ofRemote(wanted: Wanted, commit: string, file: RemoteFile, signal?: AbortSignal): Promise<FileHeader> {
  const cached = path.join(snapshotFolder(wanted.repo, commit), file.path);
  if (fs.statSync(cached, { throwIfNoEntry: false })?.size === file.size) return ofFile(cached, file.path);
  const { read } = formatOf(file.path);
  const whole = (source: ByteSource) => ({ name: file.path, bytes: file.size, ...read(source) });
  return readRemoteHeader(wanted, commit, file, whole, signal);
}

/** The named file, else the weights that a run would read. */
async function chosen(
  wanted: Wanted,
  listing: Listing,
  name: string | undefined,
  signal?: AbortSignal,
): Promise<RemoteFile[]> {
  const { id } = wanted.repo;
  if (name !== undefined) {
    const file = listing.files.find((one) => one.path === name);
    if (file) return [file];
    const names = listing.files.map((one) => one.path);
    throw new LayerifError('badModel', `model ${id} has no file ${name}${nearestNames(name, names)}`);
  }
  try {
    const files = await modelFiles(id, listing.files, (file) => textOf(wanted, listing, file, signal));
    return files.filter((file) => headerFormats.some(({ ending }) => file.path.endsWith(ending)));
  } catch (error) {
    const { code, message } = error as LayerifError;
    if (code !== 'badModel') throw error;
    throw new LayerifError('badModel', `${message}; to see the header of one of its files, write ${id}/FILE`);
  }
}

/** Without the network: what lies in the cache. */
function ofCache(id: string, revision: string, name: string | undefined): FileHeader[] {
  const { target } = cachedModel(id, revision);
  if (!fs.statSync(target).isDirectory()) return [ofFile(target)];
  const inside = fs.readdirSync(target).sort();
  const names = name === undefined ? inside.filter((one) => one.endsWith('.safetensors')) : [name];
  for (const one of names)
    if (!inside.includes(one))
      throw new LayerifError('badModel', `${target} has no file ${one}${nearestNames(one, inside)}`);
  return names.map((one) => ofFile(path.join(target, one), one));
}
