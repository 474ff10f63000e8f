/** Layers, modules with their shapes, and what is left unscored, as tables. */
import type { InspectedModel } from '../../../protocol/inspection.ts';
import { formatCount, formatShare } from '../model/format.ts';
import { layerRows, moduleRows, notReadRows, ranges, unscoredRows } from '../model/inspection.ts';

export function InspectedTables({ model }: { model: InspectedModel }) {
  const unscored = unscoredRows(model);
  const notRead = notReadRows(model);
  return (
    <>
      <section>
        <h2 id="layers-head">Layers</h2>
        <div class="table-scroll inspect-tall" tabIndex={0} role="region" aria-labelledby="layers-head">
          <table class="data">
            <thead>
              <tr>
                <th scope="col">Layer</th>
                <th scope="col">Name</th>
                <th scope="col" class="number">
                  Modules
                </th>
                <th scope="col" class="number">
                  Weights
                </th>
                <th scope="col" class="number">
                  Share of scored
                </th>
              </tr>
            </thead>
            <tbody>
              {layerRows(model).map(({ index, name, modules, parameters, share }) => (
                <tr key={index}>
                  <th scope="row">{index}</th>
                  <td>
                    <code>{name}</code>
                  </td>
                  <td class="number">{modules}</td>
                  <td class="number">{formatCount(parameters)}</td>
                  <td class="number">{formatShare(share)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </section>
      {model.kinds.map((kind) => (
        <Kind key={kind.layers[0]} kind={kind} only={model.kinds.length === 1} />
      ))}
      <section>
        <h2 id="unscored-head">Not scored</h2>
        {unscored.length === 0 ? (
          <p class="empty">Every weight is scored.</p>
        ) : (
          <Tensors
            label="unscored-head"
            name="Tensor"
            rows={unscored.map(({ name, members, shape, parameters }) => ({ name, members, shape, parameters }))}
          />
        )}
      </section>
      {notRead.length > 0 && (
        <section>
          <h2 id="not-read-head">Not read</h2>
          <Tensors label="not-read-head" name="Tensor" rows={notRead} />
        </section>
      )}
    </>
  );
}

function Kind({ kind: { layers, modules }, only }: { kind: InspectedModel['kinds'][0]; only: boolean }) {
  const id = `kind-${layers[0]}`;
  return (
    <section>
      <h2 id={id}>
        {only ? 'Modules of every layer' : `Modules of layer${layers.length > 1 ? 's' : ''} ${ranges(layers)}`}
      </h2>
      <Tensors
        label={id}
        name="Module"
        rows={moduleRows(modules).map(({ shape, ...row }) => ({ ...row, shape: shape.join(' \u00d7 ') }))}
      />
    </section>
  );
}

interface TensorRow {
  name: string;
  members: number;
  shape: string;
  parameters: number;
}

function Tensors({ label, name: what, rows }: { label: string; name: string; rows: TensorRow[] }) {
  return (
    <div class="table-scroll inspect-tall" tabIndex={0} role="region" aria-labelledby={label}>
      <table class="data">
        <thead>
          <tr>
            <th scope="col">{what}</th>
            <th scope="col" class="number">
              Shape
            </th>
            <th scope="col" class="number">
              Count
            </th>
            <th scope="col" class="number">
              Weights
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ name, members, shape, parameters }) => (
            <tr key={`${name} ${shape}`}>
              <th scope="row">
                <code>{name}</code>
              </th>
              <td class="number">{shape}</td>
              <td class="number">{members}</td>
              <td class="number">{formatCount(parameters)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
