/** The configuration of a model on the hub without its weights. */
import { LayerifError } from '../../../../protocol/errors.ts';
import { findCachedModel } from '../../checkpoints/hubModel.ts';
import { isHubId } from '../../hub/cache.ts';
import { offlineBy } from '../../hub/environment.ts';
import { listRepo, readRemoteText } from '../../hub/remote.ts';
import { NotJson, parsedJson } from '../../text/jsonFault.ts';
import { listed } from '../../text/listed.ts';

/**
 * @returns null for a path, for a model that the cache holds, and offline: the checkpoint is opened instead
 * @throws LayerifError `badModel`: a repository without a readable config.json, or what the hub refuses
 */
export async function hubConfig(id: string, signal?: AbortSignal): Promise<Record<string, unknown> | null> {
  if (!isHubId(id) || findCachedModel(id, 'main') !== null || offlineBy() !== null) return null;
  const wanted = { repo: { type: 'model' as const, id }, revision: 'main', beside: '' };
  const listing = await listRepo(wanted, signal);
  const file = listing.files.find(({ path }) => path === 'config.json');
  if (!file) {
    const names = listing.files.map(({ path }) => path).slice(0, 8);
    throw new LayerifError(
      'badModel',
      `${id} on the hub has no config.json (it has ${listed(names)}); give a repository with one`,
    );
  }
  let value: unknown;
  try {
    value = parsedJson(await readRemoteText(wanted, listing.commit, file, signal));
  } catch (error) {
    if (!(error instanceof NotJson)) throw error;
    throw new LayerifError(
      'badModel',
      `config.json of ${id} on the hub is no JSON: ${error.message}; give another repository or revision`,
      { cause: error },
    );
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new LayerifError(
    'badModel',
    `config.json of ${id} on the hub is not a JSON object; give another repository or revision`,
  );
}
