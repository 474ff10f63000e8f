import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reduceRun } from '../../extension/src/runState.ts';
import { ago, statusText } from '../../extension/src/statusText.ts';
import type { Estimate } from '../../protocol/run.ts';

const idle = { state: 'idle', detail: 'cpu, 2 threads' } as const;
const started = reduceRun(
  null,
  {
    type: 'started',
    runId: '1',
    experimentFile: '/w/my_*reviews*.layerif.yaml',
    resultFile: '/r',
    resumed: false,
    estimate: {} as Estimate,
  },
  0,
);
const busy = reduceRun(
  started,
  {
    type: 'progress',
    runId: '1',
    task: 't',
    phase: 'forward',
    done: 43,
    total: 100,
    message: 'forward [1](command:evil)',
  },
  0,
);

test('one look per state', () => {
  const rows = [
    [
      statusText('stopped', { state: 'stopped', detail: '' }, null),
      '$(circle-slash) LayerIF',
      'layerif.restartServer',
      'none',
    ],
    [
      statusText('starting', { state: 'stopped', detail: '' }, null),
      '$(loading~spin) LayerIF',
      'layerif.showOutput',
      'none',
    ],
    [statusText('running', idle, null), '$(layers) LayerIF', 'layerif.scoreLayers', 'none'],
    [
      statusText('running', { state: 'busy', detail: '' }, busy),
      '$(loading~spin) LayerIF 43 %',
      'layerif.openResult',
      'none',
    ],
    [statusText('failed', { state: 'stopped', detail: '' }, null), '$(error) LayerIF', 'layerif.showOutput', 'error'],
    [statusText('running', { state: 'failed', detail: 'x' }, null), '$(error) LayerIF', 'layerif.showOutput', 'error'],
  ] as const;
  for (const [status, text, command, severity] of rows)
    assert.deepEqual([status.text, status.command, status.severity], [text, command, severity]);
});

test('the tooltip carries the actions of the state and nothing that a name or message smuggles in', () => {
  const running = statusText('running', idle, busy).tooltip;
  assert.match(running, /\[Cancel Run\]\(command:layerif\.cancelRun\)/);
  assert.doesNotMatch(running, /\[1\]\(command:evil\)/);
  assert.match(running, /my\\_\\\*reviews\\\*/);
  const resting = statusText('running', idle, null).tooltip;
  assert.match(resting, /\[Restart Server\]\(command:layerif\.restartServer\)/);
  assert.match(resting, /cpu, 2 threads/);
  assert.doesNotMatch(resting, /cancelRun/);
});

test('screen readers hear words, not icon names', () => {
  for (const status of [
    statusText('running', idle, busy),
    statusText('stopped', idle, null),
    statusText('failed', idle, null),
  ])
    assert.doesNotMatch(status.spoken, /\$\(/);
  assert.equal(statusText('running', idle, busy).spoken, 'LayerIF: scoring 43 %');
});

test('times in lists', () => {
  const now = 1e12;
  const rows: [number, string][] = [
    [5, 'just now'],
    [65, '1 min ago'],
    [3 * 3600, '3 h ago'],
    [30 * 3600, 'yesterday'],
    [5 * 86400, '5 days ago'],
    [-100, 'just now'],
  ];
  for (const [seconds, text] of rows) assert.equal(ago(now - seconds * 1000, now), text);
});
