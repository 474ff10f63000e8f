/**
 * Trust: is the gradient right, does the order of layers hold on other samples and other dampings, and does influence
 * predict retraining?
 */
import type { TabProps } from '../tabProps.ts';
import { DampingSweep } from './DampingSweep.tsx';
import { OtherEstimators } from './OtherEstimators.tsx';
import { SelfCheck } from './SelfCheck.tsx';
import { Uncertainty } from './Uncertainty.tsx';
import { Validation } from './Validation.tsx';

export function TrustTab({ result, running, trust }: TabProps) {
  return (
    <>
      <p class="caption lead">
        Influence is a local, linear answer about a large model, and it can be fragile. These are five ways to find out
        how far this result carries.
      </p>
      {trust?.busy && (
        <p class="recomputed" role="status">
          {trust.busy}
        </p>
      )}
      <Uncertainty result={result} running={running} />
      <OtherEstimators result={result} />
      <DampingSweep result={result} />
      <SelfCheck check={trust?.check ?? null} busy={running || trust?.busy !== null} />
      <Validation trust={trust} result={result} busy={running || trust?.busy !== null} />
    </>
  );
}
