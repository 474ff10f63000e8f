/** A native range input in the theme's colours, with its value in words. */
import { useId } from 'preact/hooks';

export function Slider(props: {
  label: string;
  value: number;
  min: number;
  max: number;
  step: number;
  /** The value as it is shown and spoken. */
  text: string;
  title?: string;
  disabled?: boolean;
  onChange: (value: number) => void;
}) {
  const id = useId();
  return (
    <span class="field slider" title={props.title}>
      <label class="label" for={id}>
        {props.label}
      </label>
      <input
        id={id}
        type="range"
        min={props.min}
        max={props.max}
        step={props.step}
        value={props.value}
        disabled={props.disabled ?? false}
        aria-valuetext={props.text}
        onInput={(event) => props.onChange(Number(event.currentTarget.value))}
      />
      <output class="number" for={id}>
        {props.text}
      </output>
    </span>
  );
}
