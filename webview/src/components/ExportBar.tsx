/** Copy the list, save the allocation beside the result, or write it in the words of another program. */
import { useState } from 'preact/hooks';
import type { Allocation } from '../../../protocol/allocation.ts';
import type { AllocationChoicesAnswer } from '../../../protocol/lsp.ts';
import { send } from '../host.ts';
import { listText, requestOf, targetsFor } from '../model/allocation.ts';
import type { AllocationForm } from '../model/allocation.ts';
import { Button, Select } from './controls.tsx';

export function ExportBar(props: {
  form: AllocationForm;
  allocation: Allocation;
  choices: AllocationChoicesAnswer | null;
}) {
  const { form, allocation } = props;
  const targets = targetsFor(props.choices, form.kind);
  const [chosen, setChosen] = useState('');
  const target = targets.find(({ id }) => id === chosen) ?? targets[0];
  const { kind, ...request } = requestOf(form);
  return (
    <div class="controls export" role="group" aria-label="Copy, save and export">
      <Button onClick={() => send({ type: 'copy', text: listText(allocation), what: 'List of layers' })}>
        Copy List
      </Button>
      <Button onClick={() => send({ type: 'saveAllocation', params: requestOf(form) })}>Save beside Result</Button>
      {form.kind === 'sparsity' && (
        <Button onClick={() => send({ type: 'command', command: 'pruneAndEvaluate' })}>
          Prune and Evaluate{'\u2026'}
        </Button>
      )}
      {target && (
        <>
          <Select
            label="Export for"
            value={target.id}
            options={targets.map(({ id }) => ({ id, name: id }))}
            onChange={setChosen}
          />
          <Button
            onClick={() =>
              send({
                type: 'saveExport',
                // A target of scores takes no kind of allocation.
                params: { ...request, to: target.id, ...(target.kinds.length > 0 ? { kind } : {}) },
              })
            }
          >
            Export{'\u2026'}
          </Button>
          <span class="faint">{target.title}</span>
        </>
      )}
    </div>
  );
}
