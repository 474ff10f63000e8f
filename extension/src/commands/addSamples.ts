/** Add Samples: the run goes on with further rows until the order of its layers is settled. */
import * as vscode from 'vscode';
import { typeText } from '../ask.ts';
import { score } from './score.ts';
import type { ScoreParts } from './score.ts';
import { experimentOf } from './targets.ts';
import type { Source, TargetParts } from './targets.ts';

/** Of the layers: what the badge and the chart call unstable spans more. */
const SHARE = 0.33;
const ROWS = 2000;

export function registerAddSamples(parts: ScoreParts & TargetParts): vscode.Disposable {
  return vscode.commands.registerCommand('layerif.addSamples', async (source: Source) => {
    const experiment = await experimentOf(parts, source, 'add samples to');
    if (!experiment) return;
    const rows = await typeText({
      title: 'Add Samples until the Order Is Settled',
      prompt:
        'Most training samples of a task. Each look has twice as many, and the run ends earlier once the ranks of two thirds of the layers span no more than a third of them on other samples.',
      value: String(ROWS),
      validateInput: (text) => (/^[1-9]\d*$/.test(text) && Number(text) >= 4 ? null : 'A whole number from 4.'),
    });
    if (rows !== undefined) await score(parts, experiment, { until: { rank_interval: SHARE, rows: Number(rows) } });
  });
}
