/** `JSON.parse` keeps the last of two equal keys without a word; a header with two tensors of one name is damaged. */

/** The first key that stands twice in the outermost object of `json`, or null. @param json valid JSON */
export function duplicateKey(json: string): string | null {
  const seen = new Set<string>();
  let depth = 0;
  for (let at = 0; at < json.length; at++) {
    const c = json.charCodeAt(at);
    if (c === OPEN || c === OPEN_LIST) depth++;
    else if (c === CLOSE || c === CLOSE_LIST) depth--;
    else if (c === QUOTE) {
      const start = at;
      for (at++; json.charCodeAt(at) !== QUOTE; at++) if (json.charCodeAt(at) === BACKSLASH) at++;
      if (depth !== 1 || !isKey(json, at + 1)) continue;
      const key = JSON.parse(json.slice(start, at + 1)) as string;
      if (seen.has(key)) return key;
      seen.add(key);
    }
  }
  return null;
}

const [QUOTE, BACKSLASH, OPEN, CLOSE, OPEN_LIST, CLOSE_LIST] = [...'"\\{}[]'].map((c) => c.charCodeAt(0));

/** Whether the string that ended before `at` is followed by a colon. */
function isKey(json: string, at: number): boolean {
  let c = json[at];
  while (c !== undefined && ' \t\r\n'.includes(c)) c = json[++at];
  return c === ':';
}
