/**
 * Which matrices of a layer carry its score. A module's score is its own aggregation; only with `sum` do they add up to
 * the layer's.
 */
import { useState } from 'preact/hooks';
import { formatNumber } from '../model/format.ts';
import type { ModuleValue } from '../model/layers.ts';
import { LinkButton } from './controls.tsx';
import { SignedBar } from './SignedBar.tsx';

/** A layer of a mixture of experts has dozens of modules; the first look shows this many. */
const FIRST = 14;

export function ModuleBars(props: { modules: readonly ModuleValue[]; task: number; layer: number }) {
  const [all, setAll] = useState(false);
  const twoSided = props.modules.some((module) => module.value < 0);
  const shown = all ? props.modules : props.modules.slice(0, FIRST);
  return (
    <>
      <table class="bars">
        <caption class="spoken">Scores of the modules of layer {props.layer}</caption>
        <tbody>
          {shown.map((module) => (
            <tr key={module.name}>
              <th scope="row" title={module.name}>
                {module.name}
              </th>
              <td class="bar">
                <SignedBar share={module.share} task={props.task} width={160} height={14} twoSided={twoSided} />
              </td>
              <td class="number">{formatNumber(module.value)}</td>
              <td class="faint">{module.zeroGradient ? 'zero gradient' : ''}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {props.modules.length > FIRST && (
        <LinkButton onClick={() => setAll(!all)}>
          {all ? 'Show fewer modules' : `Show all ${props.modules.length} modules`}
        </LinkButton>
      )}
    </>
  );
}
