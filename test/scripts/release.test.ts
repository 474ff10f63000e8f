/**
 * `npm run release`: the changelog's sections, versions that may follow, and a whole release in a clone without
 * packing.
 */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { version } from '../../server/src/run/files/version.ts';

const root = path.resolve(import.meta.dirname, '../..');
const { datedChangelog, requireNext } = (await import(new URL('../../scripts/release.mjs', import.meta.url).href)) as {
  datedChangelog: (text: string, version: string, date: string) => string;
  requireNext: (now: string, next: string, released: boolean) => void;
};

test('package.json, lock file and program have one version', () => {
  const read = (name: string) =>
    JSON.parse(fs.readFileSync(path.join(root, name), 'utf8')) as {
      version: string;
      packages?: Record<string, { version: string }>;
    };
  assert.equal(read('package.json').version, version);
  assert.equal(read('package-lock.json').version, version);
  assert.equal(read('package-lock.json').packages?.['']?.version, version);
});

test('Unreleased becomes the version with its date, and an empty one stands above it', () => {
  assert.equal(
    datedChangelog('# C\n\n## Unreleased\n\n- a\n\n## 0.1.0 (2026-01-01)\n\n- b\n', '0.2.0', '2026-12-01'),
    '# C\n\n## Unreleased\n\n## 0.2.0 (2026-12-01)\n\n- a\n\n## 0.1.0 (2026-01-01)\n\n- b\n',
  );
  assert.throws(() => datedChangelog('# C\n\n## Unreleased\n\n## 0.1.0\n\n- b\n', '0.2.0', ''), /lists nothing/);
  assert.throws(() => datedChangelog('# C\n', '0.2.0', ''), /no section/);
});

test('versions only go up; one that was never released may be', () => {
  requireNext('0.1.9', '0.1.10', true);
  requireNext('0.9.0', '1.0.0', true);
  requireNext('0.1.0', '0.1.0', false);
  assert.throws(() => requireNext('0.1.0', '0.1.0', true), /does not come after/);
  assert.throws(() => requireNext('0.2.0', '0.1.9', false), /does not come after/);
  assert.throws(() => requireNext('0.1.0', '0.2', false), /no version/);
});

test('a release commits, tags, and refuses changes that are not committed', (t) => {
  if (!fs.existsSync(path.join(root, '.git'))) return t.skip('not a git checkout');
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'layerif-release-'));
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }));
  const git = (...args: string[]) => execFileSync('git', args, { cwd: folder, encoding: 'utf8' }).trim();
  git('init', '--quiet');
  for (const name of ['package.json', 'package-lock.json', 'server/src/run/files/version.ts', 'scripts/release.mjs']) {
    fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    fs.copyFileSync(path.join(root, name), path.join(folder, name));
  }
  fs.writeFileSync(path.join(folder, 'CHANGELOG.md'), '# Changelog\n\n## Unreleased\n\n- a thing\n');
  git('config', 'user.email', 'test@example.invalid');
  git('config', 'user.name', 'test');
  git('add', '--all');
  git('commit', '--quiet', '--message', 'start');
  const run = (...args: string[]) =>
    spawnSync(process.execPath, ['scripts/release.mjs', ...args], { cwd: folder, encoding: 'utf8' });

  const done = run('99.0.1', '--no-vsix');
  assert.equal(done.status, 0, done.stderr);
  assert.equal(git('tag', '--list'), 'v99.0.1');
  assert.equal(git('log', '-1', '--format=%s'), 'Release 99.0.1');
  assert.equal(git('status', '--porcelain'), '');
  assert.match(git('show', 'HEAD:server/src/run/files/version.ts'), /version = '99\.0\.1'/);
  assert.match(git('show', 'HEAD:package.json'), /^ {2}"version": "99\.0\.1"/m);
  assert.match(git('show', 'HEAD:CHANGELOG.md'), /## Unreleased\n\n## 99\.0\.1 \(\d{4}-\d\d-\d\d\)\n\n- a thing/);

  fs.appendFileSync(path.join(folder, 'CHANGELOG.md'), '- more\n');
  const dirty = run('99.0.2', '--no-vsix');
  assert.equal(dirty.status, 1);
  assert.match(dirty.stderr, /not committed/);
});
