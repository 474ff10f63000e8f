/** A text of YAML; quoted, as JSON, where YAML could read it as anything else. */
export const scalar = (text: string): string =>
  /^(?![-.\d]+$)(?!(?:true|false|null|yes|no|on|off|y|n)$)[\w./][\w./-]*$/i.test(text) ? text : JSON.stringify(text);
