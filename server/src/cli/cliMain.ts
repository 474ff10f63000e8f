#!/usr/bin/env node
/**
 * Entry of the `layerif` command. This process only waits and handles signals, `workMain.ts` does the work in a child:
 * what a file says may keep the child's loop busy for ever, and Ctrl-C still ends the command.
 */
import { superviseWork } from './supervise.ts';

superviseWork(process.argv.slice(2));
