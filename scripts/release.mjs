/**
 * Makes a release: `npm run release -- 0.2.0 [--no-vsix]`.
 *
 * Asks for a clean checkout, writes the version into `package.json`, the lock file and `run/files/version.ts`, dates
 * the section _Unreleased_ of the changelog, commits, tags `v0.2.0`, packs a VSIX for every platform into `.cache/` and
 * writes their SHA-256 beside them. Pushing and publishing stay a person's decision; the last lines say how.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** @throws Error unless `next` (major.minor.patch) comes after `now`, or is `now` and was never released */
export function requireNext(now, next, released) {
  const numbers = (version) => /^(\d+)\.(\d+)\.(\d+)$/.exec(version)?.slice(1).map(Number);
  const [a, b] = [numbers(now), numbers(next)];
  if (!b) throw new Error(`"${next}" is no version: give major.minor.patch, such as 0.2.0.`);
  const at = a.findIndex((part, i) => part !== b[i]);
  if (at < 0 ? released : b[at] < a[at]) throw new Error(`${next} does not come after ${now}.`);
}

/**
 * The changelog with _Unreleased_ dated, and a new empty _Unreleased_ above it.
 * @throws Error when nothing is listed there
 */
export function datedChangelog(text, version, date) {
  const heading = '## Unreleased\n';
  const at = text.indexOf(heading);
  if (at < 0) throw new Error('CHANGELOG.md has no section "## Unreleased".');
  const rest = text.slice(at + heading.length);
  const end = rest.search(/^## /m);
  if (!(end < 0 ? rest : rest.slice(0, end)).trim())
    throw new Error('CHANGELOG.md lists nothing under "## Unreleased": there is nothing to release.');
  return `${text.slice(0, at)}${heading}\n## ${version} (${date})\n${rest}`;
}

/** @throws Error when the pattern is not found exactly once */
function replaceOnce(file, pattern, replacement) {
  const text = readFileSync(file, 'utf8');
  if (text.match(new RegExp(pattern, `g${pattern.flags}`))?.length !== 1)
    throw new Error(`${file}: ${pattern} is not there once.`);
  writeFileSync(file, text.replace(pattern, replacement));
}

function release(root, next, { vsix }) {
  const git = (...args) => execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim();
  const now = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version;
  const changes = git('status', '--porcelain');
  if (changes) throw new Error(`There are changes that are not committed:\n${changes}`);
  requireNext(now, next, git('tag', '--list', `v${now}`) !== '');
  if (git('tag', '--list', `v${next}`)) throw new Error(`The tag v${next} is there already.`);

  const changelog = join(root, 'CHANGELOG.md');
  const dated = datedChangelog(readFileSync(changelog, 'utf8'), next, new Date().toISOString().slice(0, 10));
  writeFileSync(changelog, dated);
  const escaped = now.replaceAll('.', '\\.');
  replaceOnce(join(root, 'package.json'), new RegExp(`^  "version": "${escaped}"`, 'm'), `  "version": "${next}"`);
  replaceOnce(
    join(root, 'server/src/run/files/version.ts'),
    new RegExp(`version = '${escaped}'`),
    `version = '${next}'`,
  );
  const lockFile = join(root, 'package-lock.json');
  const lock = JSON.parse(readFileSync(lockFile, 'utf8'));
  lock.version = lock.packages[''].version = next;
  writeFileSync(lockFile, `${JSON.stringify(lock, null, 2)}\n`);
  git('commit', '--quiet', '--all', '--message', `Release ${next}`);
  git('tag', '--annotate', `v${next}`, '--message', `LayerIF ${next}`);
  return vsix;
}

async function packAll(root, version) {
  const { nativeFiles, packageVsix } = await import(pathToFileURL(join(root, 'scripts/package.mjs')).href);
  const files = Object.keys(nativeFiles).map((target) => packageVsix(target));
  const lines = files.map((file) => {
    const sum = createHash('sha256').update(readFileSync(file)).digest('hex');
    return `${sum}  ${basename(file)}\n`;
  });
  const sums = join(dirname(files[0]), `layerif-${version}-sha256.txt`);
  writeFileSync(sums, lines.join(''));
  return [...files, sums];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = fileURLToPath(new URL('..', import.meta.url));
  const next = process.argv[2];
  try {
    if (!next || next.startsWith('-')) throw new Error('Usage: npm run release -- VERSION [--no-vsix]');
    const vsix = release(root, next, { vsix: !process.argv.includes('--no-vsix') });
    const files = vsix ? await packAll(root, next) : [];
    console.log([`Committed and tagged v${next}.`, ...files].join('\n'));
    console.log(
      `\nTo publish: git push origin main v${next}, attach the files to the release page, and vsce publish --packagePath each of them.`,
    );
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}
