/**
 * `npm run screenshot`: media/screenshot.png, the README's picture, and those of the walkthrough: the installed
 * extension in the workbench while it scores the example experiment on the demo model. Needs what `npm test` needs, and
 * a VSIX (`npm run package`).
 */
import { cpSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { root, startWorkbench } from './harness.ts';
import { vsix } from './vsix.ts';
import { enter, lens, openFile, resultsPage, runCommand } from './workbench.ts';

mkdirSync(join(root, 'media', 'walkthrough'), { recursive: true });
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
  const picture = async (name: string) => {
    await page.waitForTimeout(1500);
    await page.screenshot({ path: join(root, 'media', name) });
  };
  await page.setViewportSize({ width: 1200, height: 750 });
  await enter(bench);
  await openFile(page, experiment);
  await lens(page, 'Score This Task').first().waitFor();
  const input = page.locator('.quick-input-widget');
  await runCommand(page, 'LayerIF: Create Experiment File');
  for (const [step, entry] of [
    ['1', '.gguf'],
    ['2', 'sentiment.jsonl'],
  ]) {
    await input.getByText(`Create Experiment (${step}/4)`).waitFor();
    await input.locator('.monaco-list-row', { hasText: entry }).first().click();
  }
  await input.getByText('Create Experiment (3/4)').waitFor();
  await picture('walkthrough/create.png');
  await page.keyboard.press('Escape');
  await lens(page, /^Score Layers$/).click();
  const frame = await resultsPage(page);
  await frame.locator('.status', { hasText: 'Complete' }).waitFor({ timeout: 600_000 });
  await page.keyboard.press('Control+B'); // the charts need the room of the side bar
  await picture('walkthrough/score.png');
  for (const [tab, heading, name] of [
    ['Trust', 'Other estimators', 'walkthrough/trust.png'],
    ['Allocation', 'LoRA experts per layer', 'walkthrough/decide.png'],
  ]) {
    await frame.getByRole('tab', { name: tab }).click();
    if (tab === 'Trust') await frame.getByText('from the same gradients').first().waitFor({ timeout: 120_000 });
    await frame.getByRole('heading', { name: heading }).scrollIntoViewIfNeeded();
    await picture(name);
  }
  await frame.getByRole('tab', { name: 'Layers' }).click();
  await page.setViewportSize({ width: 1600, height: 1000 });
  await picture('screenshot.png');
} finally {
  await bench.stop();
}
