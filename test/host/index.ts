/** What VS Code calls in its extension host (`extensionTestsPath`), on the desktop and in code-server alike. */
import Mocha from 'mocha';

export async function run(): Promise<void> {
  const mocha = new Mocha({ ui: 'tdd', timeout: 30_000, color: false });
  mocha.suite.emit('pre-require', globalThis, '', mocha); // gives the bundled suite its `suite` and `test`
  await import('./suite.ts');
  const stats = await new Promise<Mocha.Stats>((done) => {
    const runner = mocha.run(() => done(runner.stats!));
  });
  console.log(`${stats.passes} passed, ${stats.failures} failed`);
  if (stats.failures || !stats.passes) throw new Error(`${stats.failures} of ${stats.tests} tests failed`);
}
