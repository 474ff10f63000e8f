/**
 * Files of a pinned revision from the Hugging Face hub (or a mirror: HF_ENDPOINT) by plain requests. What was received
 * stays in a `.part` file, and the next try goes on from there; a revision never changes, so the pieces belong
 * together.
 */
import { mkdir, open, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { sha256 as hashOf, settle, sizeOf } from './checkedFile.mjs';

const TRIES = 4;

/**
 * @param file { repository, revision, name, size, sha256 }
 * @param target where the file shall lie
 * @param progress called with the number of bytes that are there
 * @throws Error that names the address: no connection, a refusal, wrong bytes
 */
export async function hubDownload({ repository, revision, name, size, sha256 }, target, progress = () => {}) {
  const endpoint = (process.env.HF_ENDPOINT || 'https://huggingface.co').replace(/\/+$/, '');
  const address = `${endpoint}/${repository}/resolve/${revision}/${name}`;
  const part = `${target}.part`;
  await mkdir(dirname(target), { recursive: true });
  let cause;
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    if (attempt > 0) await new Promise((resolve) => setTimeout(resolve, 250 * 4 ** (attempt - 1)));
    try {
      await receive(address, part, size, progress);
      const digest = await hashOf(part);
      if (digest !== sha256) {
        await rm(part, { force: true });
        throw new Refused(`${address} has SHA-256 ${digest}, expected ${sha256}`);
      }
      await settle(part, target);
      return;
    } catch (error) {
      if (error instanceof Refused) throw error;
      cause = error;
    }
  }
  const reason = [cause.message, cause.cause?.message ?? cause.cause?.code].filter(Boolean).join(': ');
  throw new Error(
    `cannot download ${address} (${reason}); what was received is kept and the next try goes on from there`,
    {
      cause,
    },
  );
}

/** An answer that another try would not change. */
class Refused extends Error {}

async function receive(address, part, size, progress) {
  let have = Math.max(0, await sizeOf(part));
  if (have > size) {
    await rm(part);
    have = 0;
  }
  if (have === size) return;
  const token = process.env.HF_TOKEN;
  const answer = await fetch(address, {
    headers: {
      ...(have > 0 ? { range: `bytes=${have}-` } : {}),
      ...(token ? { authorization: `Bearer ${token}` } : {}), // fetch drops it when it is sent on to another host
    },
  });
  if (answer.status >= 500 || answer.status === 429) throw new Error(`status ${answer.status}`);
  if (!answer.ok) throw new Refused(`${address}: the hub answers ${answer.status} ${answer.statusText}`);
  const from = answer.status === 206 ? have : 0;
  const file = await open(part, from > 0 ? 'r+' : 'w');
  try {
    let at = from;
    for await (const chunk of answer.body) {
      if (at + chunk.length > size) throw new Refused(`${address} is longer than the ${size} bytes expected`);
      await file.write(chunk, 0, chunk.length, at);
      at += chunk.length;
      progress(at);
    }
    if (at < size) throw new Error(`the connection ended at byte ${at} of ${size}`);
  } finally {
    await file.close();
  }
}
