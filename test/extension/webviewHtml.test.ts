import assert from 'node:assert/strict';
import { test } from 'node:test';
import { contentSecurityPolicy, pageHtml } from '../../extension/src/webviewHtml.ts';

const parts = {
  cspSource: 'https://host',
  nonce: 'abc',
  scriptUri: 'https://host/a"b.js',
  styleUri: 'https://host/a.css',
  page: 'results',
  title: '<Title>',
} as const;

test('the policy allows our files and one nonce, nothing unsafe and no network', () => {
  const policy = contentSecurityPolicy(parts);
  assert.match(policy, /^default-src 'none'/);
  assert.match(policy, /script-src 'nonce-abc'(;|$)/);
  assert.doesNotMatch(policy, /unsafe|connect-src|\*/);
});

test('values are escaped, the script carries the nonce, the page says which it is', () => {
  const html = pageHtml(parts);
  assert.match(html, /<title>&lt;Title><\/title>|<title>&lt;Title&gt;<\/title>/);
  assert.match(html, /<script type="module" nonce="abc" src="https:\/\/host\/a&quot;b\.js">/);
  assert.match(html, /data-layerif-page="results"/);
  assert.doesNotMatch(html, /style="/);
});
