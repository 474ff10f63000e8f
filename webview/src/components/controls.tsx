/** VS Code's own controls (`@vscode-elements/elements`) as components, so that pages need not know their events. */
import '@vscode-elements/elements/dist/vscode-button/index.js';
import '@vscode-elements/elements/dist/vscode-checkbox/index.js';
import '@vscode-elements/elements/dist/vscode-option/index.js';
import '@vscode-elements/elements/dist/vscode-progress-bar/index.js';
import '@vscode-elements/elements/dist/vscode-single-select/index.js';
import '@vscode-elements/elements/dist/vscode-textfield/index.js';
import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';

export function Button(props: {
  children: ComponentChildren;
  onClick: () => void;
  primary?: boolean;
  disabled?: boolean;
}) {
  return (
    <vscode-button secondary={!props.primary} disabled={props.disabled ?? false} onClick={props.onClick}>
      {props.children}
    </vscode-button>
  );
}

/** A text button inside a table or sentence. */
export function LinkButton(props: {
  children: ComponentChildren;
  onClick: () => void;
  title?: string;
  label?: string;
  /** Of a button that opens something. */
  expanded?: boolean;
}) {
  return (
    <button
      type="button"
      class="link"
      title={props.title}
      aria-label={props.label}
      aria-expanded={props.expanded}
      onClick={props.onClick}
    >
      {props.children}
    </button>
  );
}

export interface Option<Id extends string> {
  id: Id;
  name: string;
}

export function Select<Id extends string>(props: {
  label: string;
  value: Id;
  options: readonly Option<Id>[];
  onChange: (id: Id) => void;
  /** Show the label beside the control; else it is for screen readers only. */
  showLabel?: boolean;
  /** For options of one short word. */
  short?: boolean;
}) {
  const id = useId();
  return (
    <span class={props.short ? 'field short' : 'field'}>
      <span id={id} class={props.showLabel === false ? 'spoken' : 'label'}>
        {props.label}
      </span>
      <vscode-single-select
        key={props.options.map((option) => option.id).join('\n')}
        label={props.label}
        value={props.value}
        onChange={(event: Event) => props.onChange((event.currentTarget as HTMLElement & { value: Id }).value)}
      >
        {props.options.map((option) => (
          <vscode-option key={option.id} value={option.id} selected={option.id === props.value}>
            {option.name}
          </vscode-option>
        ))}
      </vscode-single-select>
    </span>
  );
}

export function Checkbox(props: {
  label: string;
  checked: boolean;
  onChange: (checked: boolean) => void;
  title?: string;
}) {
  return (
    <vscode-checkbox
      label={props.label}
      title={props.title}
      checked={props.checked}
      onChange={(event: Event) => props.onChange((event.currentTarget as HTMLInputElement).checked)}
    />
  );
}

/** One line of text; `onInput` at every key. */
export function TextField(props: {
  label: string;
  value: string;
  placeholder?: string;
  invalid?: boolean;
  onInput: (text: string) => void;
}) {
  const id = useId();
  return (
    <span class="field">
      <span id={id} class="label">
        {props.label}
      </span>
      <vscode-textfield
        label={props.label}
        value={props.value}
        placeholder={props.placeholder}
        invalid={props.invalid ?? false}
        onInput={(event: Event) => props.onInput((event.currentTarget as HTMLInputElement).value)}
      />
    </span>
  );
}

/** A bar of known length, or an endless one while `total` is 0. */
export function ProgressBar(props: { label: string; done: number; total: number }) {
  const known = props.total > 0;
  return (
    <vscode-progress-bar
      aria-label={props.label}
      indeterminate={!known}
      value={known ? props.done : undefined}
      max={known ? props.total : 100}
    />
  );
}
