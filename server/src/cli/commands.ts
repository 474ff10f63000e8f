/** The subcommands, in the order of the help. To add one, imitate `list.ts` and add it here. */
import { allocate } from './allocate.ts';
import { analyse } from './analyse.ts';
import { check } from './check.ts';
import { compare } from './compare.ts';
import { damping } from './damping.ts';
import { devices } from './devices.ts';
import { estimate } from './estimate.ts';
import { evaluate } from './evaluate.ts';
import { exportCommand } from './export.ts';
import { generate } from './generate.ts';
import { inspect } from './inspect.ts';
import { list } from './list.ts';
import { mcp } from './mcp.ts';
import { predict } from './predict.ts';
import { prune } from './prune.ts';
import { pruneAndCompareCommand } from './pruneAndCompare.ts';
import { rows } from './rows.ts';
import { score } from './score.ts';
import { select } from './select.ts';
import { tableCommand } from './tableCommand.ts';
import { tokens } from './tokens.ts';
import { train } from './train.ts';
import { trainExperts } from './trainExperts.ts';
import type { Command } from './types.ts';
import { validate } from './validate.ts';

export const commands: readonly Command[] = [
  score,
  rows,
  select,
  check,
  estimate,
  inspect,
  list,
  devices,
  prune,
  pruneAndCompareCommand,
  evaluate,
  generate,
  allocate,
  exportCommand,
  validate,
  compare,
  damping,
  tokens,
  train,
  trainExperts,
  predict,
  tableCommand,
  analyse,
  mcp,
];
