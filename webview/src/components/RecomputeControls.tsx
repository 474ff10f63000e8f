/**
 * Estimator, damping and pairs of the view in sight, computed at once from the stored Grams; and the way back to the
 * run's own.
 */
import type { Result } from '../../../protocol/result.ts';
import {
  asTheRun,
  dampingRules,
  estimatorChoices,
  exponentOf,
  FACTOR_EXPONENTS,
  factorAt,
  isDamped,
  runSettings,
  settingsWords,
} from '../model/rescore.ts';
import type { Choices } from '../model/pageState.ts';
import type { RescoredView } from '../rescored.ts';
import { LinkButton, Select } from './controls.tsx';
import { Slider } from './Slider.tsx';

const perChoices = [
  { id: 'sample', name: 'Samples' },
  { id: 'pair', name: 'Pairs' },
] as const;

export function RecomputeControls(props: {
  /** The run's own. */
  result: Result;
  view: RescoredView;
  choices: Choices;
  change: (part: Partial<Choices>) => void;
}) {
  const { result, view, choices, change } = props;
  const { settings } = view;
  if (result.status !== 'complete')
    return (
      <p class="note recompute">
        Other estimators and dampings can be looked at once the run is complete: its Grams are stored then.
      </p>
    );
  const recompute = (part: Partial<Choices['recompute']>) => change({ recompute: { ...choices.recompute, ...part } });
  const damped = isDamped(settings.estimator);
  const rule = dampingRules.find(({ id }) => id === settings.rule);
  return (
    <>
      <div class="controls recompute" role="group" aria-label="Recompute from the stored inner products">
        <Select
          label="Estimator"
          value={settings.estimator}
          options={estimatorChoices(result)}
          onChange={(estimator) => recompute({ estimator })}
        />
        <Slider
          label="Damping"
          title={damped ? `The factor, ${rule?.meaning ?? ''}` : 'This estimator has no damping'}
          {...FACTOR_EXPONENTS}
          value={exponentOf(settings.factor)}
          text={damped ? `\u00d7 ${settings.factor}` : 'none'}
          disabled={!damped}
          onChange={(exponent) => recompute({ factor: factorAt(exponent) })}
        />
        <Select label="Rule" value={settings.rule} options={dampingRules} onChange={(id) => recompute({ rule: id })} />
        <Select
          label="Aggregate over"
          short
          value={settings.per}
          options={perChoices}
          onChange={(per) => recompute({ per })}
        />
      </div>
      {view.changed && (
        <p class="recomputed" role="status">
          {view.failure
            ? `This view cannot be computed: ${view.failure}. In sight is the run\u2019s own: `
            : view.pending
              ? 'Computing from the stored inner products of gradients: '
              : 'Recomputed from the stored inner products of gradients, not what the run wrote: '}
          {settingsWords(view.failure ? runSettings(result) : settings)}.{' '}
          <LinkButton onClick={() => change({ recompute: asTheRun, aggregation: '' })}>
            Back to the run{'\u2019'}s own
          </LinkButton>
        </p>
      )}
    </>
  );
}
