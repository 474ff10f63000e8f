/** Where the commands refuse: every `new LayerifError(...)` of their folders, with the words that it says. */
import fs from 'node:fs';
import path from 'node:path';
import ts from 'typescript';

const root = path.join(import.meta.dirname, '../../server/src/run');

export interface Site {
  /** Below `server/src/run`. */
  file: string;
  line: number;
  /** Begin of the sentence, as far as it is written out; '' where another piece makes it. */
  words: string;
  /** Matches what it says. */
  says: RegExp;
}

/** @param folders below `server/src/run` */
export function refusalSites(folders: readonly string[]): Site[] {
  return folders.flatMap((folder) =>
    fs
      .readdirSync(path.join(root, folder))
      .filter((name) => name.endsWith('.ts'))
      .flatMap((name) => sitesOf(`${folder}/${name}`)),
  );
}

function sitesOf(file: string): Site[] {
  const text = fs.readFileSync(path.join(root, file), 'utf8');
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const sites: Site[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isNewExpression(node) && node.expression.getText() === 'LayerifError') {
      const message = node.arguments?.[1];
      const { line } = source.getLineAndCharacterOfPosition(node.getStart());
      sites.push({ file, line: line + 1, ...wordsOf(message) });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return sites;
}

function wordsOf(message: ts.Expression | undefined): Pick<Site, 'words' | 'says'> {
  const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  if (message && ts.isStringLiteralLike(message))
    return { words: message.text, says: new RegExp(escaped(message.text), 's') };
  if (!message || !ts.isTemplateExpression(message)) return { words: '', says: /$^/ };
  const pieces = [message.head.text, ...message.templateSpans.map(({ literal }) => literal.text)];
  return { words: pieces.join('…'), says: new RegExp(pieces.map(escaped).join('.*'), 's') };
}
