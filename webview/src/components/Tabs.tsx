/** Tabs as in the ARIA Authoring Practices: one tab stop, arrows move, the panel is named by its tab. */
import type { ComponentChildren } from 'preact';
import { useId, useRef } from 'preact/hooks';

export interface TabEntry {
  id: string;
  name: string;
}

export function Tabs(props: {
  label: string;
  tabs: readonly TabEntry[];
  selected: string;
  onSelect: (id: string) => void;
  children: ComponentChildren;
}) {
  const id = useId();
  const list = useRef<HTMLDivElement>(null);
  const current = Math.max(
    0,
    props.tabs.findIndex((tab) => tab.id === props.selected),
  );
  const select = (place: number) => {
    const next = (place + props.tabs.length) % props.tabs.length;
    props.onSelect(props.tabs[next]!.id);
    (list.current?.children[next] as HTMLElement | undefined)?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const moves: Record<string, number> = {
      ArrowRight: current + 1,
      ArrowLeft: current - 1,
      Home: 0,
      End: props.tabs.length - 1,
    };
    if (!(event.key in moves)) return;
    event.preventDefault();
    select(moves[event.key]!);
  };
  return (
    <>
      <div class="tabs" role="tablist" aria-label={props.label} ref={list} onKeyDown={onKeyDown}>
        {props.tabs.map((tab, place) => (
          <button
            key={tab.id}
            type="button"
            role="tab"
            id={`${id}-${tab.id}`}
            aria-selected={place === current}
            aria-controls={`${id}-panel`}
            tabIndex={place === current ? 0 : -1}
            onClick={() => select(place)}
          >
            {tab.name}
          </button>
        ))}
      </div>
      <div class="panel" role="tabpanel" id={`${id}-panel`} aria-labelledby={`${id}-${props.tabs[current]!.id}`}>
        {props.children}
      </div>
    </>
  );
}
