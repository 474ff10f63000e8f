/** What is allocated, by which rule and scores, how much of it, and what is drawn beside. */
import type { AllocationRequest } from '../../../protocol/allocation.ts';
import { controlsOf, countKinds, ruleName, structures } from '../model/allocation.ts';
import type { AllocationForm } from '../model/allocation.ts';
import { Checkbox, LinkButton, Select } from './controls.tsx';
import { Slider } from './Slider.tsx';

const units = [
  { id: 'block', name: 'One per layer' },
  { id: 'matrix', name: 'One per matrix' },
] as const;

export function AllocationControls(props: {
  form: AllocationForm;
  onForm: (part: Partial<AllocationForm>) => void;
  rules: readonly { id: string; title: string }[];
  tasks: readonly string[];
  layers: number;
  /** As the last answer filled them in. */
  settings: AllocationRequest | null;
}) {
  const { form, onForm, rules, settings } = props;
  const sliders = controlsOf(form.kind, props.layers, settings, form.rule).filter(
    ({ key }) => key !== 'ratio' || form.structure === 'unstructured',
  );
  const moved = sliders.some(({ key }) => form[key] !== null);
  const baselines = rules.filter(({ id }) => id !== form.rule);
  return (
    <>
      <div class="controls">
        {form.kind !== 'sparsity' && (
          <Select label="Allocate" value={form.kind} options={countKinds} onChange={(kind) => onForm({ kind })} />
        )}
        {rules.length > 0 && (
          <Select
            label="Rule"
            value={form.rule}
            options={rules.map(({ id, title }) => ({ id, name: ruleName(id, title) }))}
            onChange={(rule) => onForm({ rule, beta: null, epsilon: null, lambda: null })}
          />
        )}
        {props.tasks.length > 1 && (
          <Select
            label="Scores of"
            value={form.task}
            options={[{ id: '', name: 'All tasks' }, ...props.tasks.map((task) => ({ id: task, name: task }))]}
            onChange={(task) => onForm({ task })}
          />
        )}
        {form.kind === 'sparsity' && (
          <>
            <Select
              label="Pattern"
              value={form.structure}
              options={structures}
              onChange={(structure) => onForm({ structure })}
            />
            <Select label="Unit" value={form.unit} options={units} onChange={(unit) => onForm({ unit })} />
          </>
        )}
      </div>
      <div class="controls sliders">
        {sliders.map(({ key, label, text, ...range }) => {
          const value = form[key] ?? settings?.[key] ?? range.min;
          return (
            <Slider
              key={key}
              label={label}
              {...range}
              value={value}
              text={text(value)}
              onChange={(next) => onForm({ [key]: next })}
            />
          );
        })}
        {moved && (
          <LinkButton
            title="Values of the experiment file, else of the rule"
            onClick={() => onForm(Object.fromEntries(sliders.map(({ key }) => [key, null])))}
          >
            Defaults
          </LinkButton>
        )}
      </div>
      {baselines.length > 0 && (
        <div class="controls" role="group" aria-label="Rules that are drawn beside">
          <span class="label faint">Compare with</span>
          {baselines.map(({ id, title }) => (
            <Checkbox
              key={id}
              label={ruleName(id, title)}
              title={title}
              checked={form.baselines.includes(id)}
              onChange={(checked) =>
                onForm({ baselines: [...form.baselines.filter((other) => other !== id), ...(checked ? [id] : [])] })
              }
            />
          ))}
        </div>
      )}
    </>
  );
}
