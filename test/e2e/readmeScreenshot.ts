/**
 * `npm run screenshot`: media/screenshot.png, the README's picture: the installed extension in the workbench after it has scored
 * the example experiment on the demo model. Needs what `npm test` needs, and a VSIX (`npm run package`).
 */
import { cpSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { root, startWorkbench } from './harness.ts';
import { vsix } from './vsix.ts';
import { lens, openFile, resultsPage } from './workbench.ts';

const experiment = 'sentiment-and-capitals.layerif.yaml';

const bench = await startWorkbench({
  vsix,
  fill: (folder) => {
    const examples = join(root, 'examples');
    symlinkSync(join(examples, 'models'), join(folder, 'models'));
    mkdirSync(join(folder, 'data'));
    cpSync(join(examples, 'data'), join(folder, 'data'), { recursive: true });
    cpSync(join(examples, experiment), join(folder, experiment));
  },
});
try {
  const { page } = bench;
  await page.setViewportSize({ width: 1600, height: 1000 });
  await page.goto(bench.url);
  await page.locator('.monaco-workbench').waitFor({ timeout: 60_000 });
  await openFile(page, experiment);
  await lens(page, /^Score Layers$/).click();
  const frame = await resultsPage(page);
  await frame.locator('.status', { hasText: 'Complete' }).waitFor({ timeout: 600_000 });
  await page.keyboard.press('Control+B'); // the charts need the room of the side bar
  await page.waitForTimeout(1500);
  await page.screenshot({ path: join(root, 'media', 'screenshot.png') });
} finally {
  await bench.stop();
}
