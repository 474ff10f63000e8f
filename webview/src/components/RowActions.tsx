/** What can be done with ticked rows: copy where they stand, or write the dataset without them. */
import { useEffect, useState } from 'preact/hooks';
import { send } from '../host.ts';
import { plural } from '../model/format.ts';
import { gridCsv } from '../model/grid.ts';
import { Button } from './controls.tsx';
import type { RowPlace } from './RowCells.tsx';
import { WritePreview } from './WritePreview.tsx';
import type { Wanted } from './WritePreview.tsx';

export function RowActions(props: {
  places: readonly RowPlace[];
  ticked: ReadonlySet<number>;
  /** Names the data and the run, as the preview depends on them. */
  source: string;
  /** Null where no dataset without rows can be written. */
  without: ((rows: number[]) => Wanted) | null;
  onClear: () => void;
}) {
  const { places, ticked } = props;
  const [shown, setShown] = useState(false);
  useEffect(() => {
    if (ticked.size === 0) setShown(false);
  }, [ticked.size]);
  const rows = [...ticked].sort((a, b) => a - b);
  const none = rows.length === 0;
  const copyIds = () =>
    send({
      type: 'copy',
      what: plural(rows.length, 'row id'),
      text: gridCsv({
        title: '',
        columns: ['file', 'row', 'line'],
        rows: rows.map((index) => {
          const { file, row, line } = places[index]!;
          return [file, row, line];
        }),
      }),
    });
  return (
    <div class="row-actions">
      <div class="controls" role="group" aria-label="Selected rows">
        <Button disabled={none} onClick={copyIds}>
          Copy Ids
        </Button>
        {props.without && (
          <Button disabled={none} onClick={() => setShown(!shown)}>
            {shown ? 'Hide Preview' : 'Write Dataset without These Rows\u2026'}
          </Button>
        )}
        <Button disabled={none} onClick={props.onClear}>
          Clear Selection
        </Button>
      </div>
      {shown && !none && props.without && (
        <WritePreview wanted={props.without(rows)} source={props.source} label="without these rows" />
      )}
    </div>
  );
}
