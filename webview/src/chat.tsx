/**
 * The page inside a chat (an MCP App): the chart of layer scores, from the result that the tool `show_chart` answers
 * with. The chat hands over the result, its theme and its size; nothing is read and nothing leaves the page.
 */
import './styles/page.css';
import './styles/charts.css';
import './styles/tables.css';
import './styles/chat.css';
import { App, applyDocumentTheme, applyHostFonts, applyHostStyleVariables } from '@modelcontextprotocol/ext-apps';
import type { McpUiHostContext } from '@modelcontextprotocol/ext-apps';
import { render } from 'preact';
import { useState } from 'preact/hooks';
import type { Result } from '../../protocol/result.ts';
import { Patterns } from './components/patterns.tsx';
import { ScorePerLayer } from './components/ScorePerLayer.tsx';
import { VerdictLines } from './components/VerdictLines.tsx';
import { defaultChoices } from './model/pageState.ts';

type Shown = { result: Result } | { words: string };

function ChatPage({ shown }: { shown: Shown }) {
  const [choices, setChoices] = useState(defaultChoices);
  if ('words' in shown) return <p class="empty">{shown.words}</p>;
  const { result } = shown;
  return (
    <main class="page">
      <Patterns />
      <h1>{result.model.name}</h1>
      <VerdictLines result={result} changed={false} running={false} fixed />
      <ScorePerLayer
        result={result}
        changed={false}
        running={false}
        choices={choices}
        change={(part) => setChoices((old) => ({ ...old, ...part }))}
        onReveal={() => undefined}
      />
    </main>
  );
}

const root = document.getElementById('root')!;
const show = (shown: Shown) => render(<ChatPage shown={shown} />, root);

function adopt({ theme, styles }: McpUiHostContext): void {
  if (styles?.variables) applyHostStyleVariables(styles.variables);
  if (styles?.css?.fonts) applyHostFonts(styles.css.fonts);
  if (!theme) return;
  applyDocumentTheme(theme);
  document.body.className = theme === 'dark' ? 'vscode-dark' : 'vscode-light';
}

const app = new App({ name: 'layerif-chart', version: '1' }, {});
app.ontoolresult = ({ structuredContent, content, isError }) => {
  const { result } = (structuredContent ?? {}) as { result?: Result };
  if (result && !isError) return show({ result });
  const said = content?.find((part) => part.type === 'text');
  show({ words: said?.type === 'text' ? said.text : 'There is no result to show.' });
};
app.ontoolcancelled = () => show({ words: 'The chart was cancelled.' });
app.onhostcontextchanged = adopt;
show({ words: 'Reading the result\u2026' });
void app.connect().then(() => adopt(app.getHostContext() ?? {}));
