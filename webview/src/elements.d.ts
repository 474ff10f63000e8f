/** Attributes of the custom elements that the pages use, for JSX. */
import type { HTMLAttributes } from 'preact';

type OfAnyElement = HTMLAttributes<HTMLElement>;

declare module 'preact' {
  namespace JSX {
    interface IntrinsicElements {
      'vscode-button': OfAnyElement & { secondary?: boolean; disabled?: boolean };
      'vscode-checkbox': OfAnyElement & { checked?: boolean; label?: string };
      'vscode-option': OfAnyElement & { value?: string; selected?: boolean };
      'vscode-progress-bar': OfAnyElement & { value?: number; max?: number; indeterminate?: boolean };
      'vscode-textfield': OfAnyElement & {
        value?: string;
        label?: string;
        placeholder?: string;
        invalid?: boolean;
      };
      'vscode-single-select': OfAnyElement & { value?: string; label?: string };
    }
  }
}
