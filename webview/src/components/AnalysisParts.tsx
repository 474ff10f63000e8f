/** The parts of an analysis: each a picture, words and the same numbers as a table. */
import type { GroupComparison, RowClusters, RowProjection, SmoothModelSummary } from '../../../protocol/analysis.ts';
import {
  anovaWords,
  clusterWords,
  curveGrid,
  groupGrid,
  modelWords,
  pairGrid,
  pointGrid,
  termGrid,
} from '../model/analysis.ts';
import { formatNumber } from '../model/format.ts';
import { GridTable } from './GridTable.tsx';
import { LineSwatch } from './patterns.tsx';
import { Picture } from './Picture.tsx';
import { boxPlot, effectPlot, planePlot, PLOT_HEIGHT } from './statisticsPlots.ts';
import { TukeyMatrix } from './TukeyMatrix.tsx';

export function Groups({ comparison }: { comparison: GroupComparison }) {
  const { response, factor, groups } = comparison;
  const label = `Box plots of ${response} by ${factor}. ${groups.map(({ name, quartiles }) => `${name}: median ${formatNumber(quartiles[2])}`).join('; ')}.`;
  return (
    <>
      <section aria-labelledby="groups-heading">
        <h2 id="groups-heading">
          {response} by {factor}
        </h2>
        <p class="caption">{anovaWords(comparison)}</p>
        <Picture draw={(width) => boxPlot(groups, response, width, label)} of={[comparison]} height={PLOT_HEIGHT} />
        <p class="note">
          Boxes: quartiles with the median; whiskers: values within 1.5 box lengths; circles: values beyond; diamonds:
          means.
        </p>
        <GridTable grid={groupGrid(comparison)} file="groups" />
      </section>
      <section aria-labelledby="pairs-heading">
        <h2 id="pairs-heading">Which groups differ (Tukey-Kramer)</h2>
        <p class="caption">
          Mean of the row less mean of the column, with intervals that hold for all pairs together (95 %); * p below
          0.05.
        </p>
        <TukeyMatrix comparison={comparison} />
        <GridTable grid={pairGrid(comparison)} file="pairs" />
      </section>
    </>
  );
}

export function Curves({ model, log }: { model: SmoothModelSummary; log: boolean }) {
  const { curves, response } = model;
  const [first] = curves;
  const named = curves.filter(({ level }) => level !== null);
  const label = first
    ? `Partial effect of ${first.covariate} on ${response}, from ${formatNumber(Math.min(...curves.flatMap(({ effect }) => effect)))} to ${formatNumber(Math.max(...curves.flatMap(({ effect }) => effect)))}.`
    : '';
  return (
    <section aria-labelledby="curves-heading">
      <h2 id="curves-heading">Smooth mixed model</h2>
      <p class="caption">
        <code>{model.formula}</code>: {modelWords(model)}
      </p>
      <GridTable grid={termGrid(model)} />
      {first && (
        <>
          <Picture
            draw={(width) => effectPlot(curves, { x: first.covariate, y: `effect on ${response}`, log, width, label })}
            of={[model, log]}
            height={PLOT_HEIGHT}
          />
          <p class="note">Line: effect beside the mean; band: two standard errors on either side.</p>
          {named.length > 0 && (
            <ul class="series-legend">
              {named.map(({ level }, style) => (
                <li key={level}>
                  <LineSwatch task={style} /> {level}
                </li>
              ))}
            </ul>
          )}
          <GridTable grid={curveGrid(model)} file="effect" />
        </>
      )}
    </section>
  );
}

export function Points({ projection, clusters }: { projection: RowProjection; clusters: RowClusters | null }) {
  const method = projection.method === 'tsne' ? 't-SNE' : 'UMAP';
  const count = clusters?.count ?? 0;
  const points = projection.x.map((x, i) => ({ x, y: projection.y[i]!, group: clusters?.labels[i] ?? 0 }));
  return (
    <section aria-labelledby="points-heading">
      <h2 id="points-heading">Rows as points ({method})</h2>
      {clusters && <p class="caption">{clusterWords(clusters)}</p>}
      <Picture
        draw={(width) =>
          planePlot(points, width, `${points.length} rows in the plane by ${method}, in ${count} clusters.`)
        }
        of={[projection, clusters]}
        height={380}
      />
      {count > 1 && (
        <ul class="series-legend">
          {Array.from({ length: count }, (_, cluster) => (
            <li key={cluster}>
              <LineSwatch task={cluster} /> cluster {cluster + 1}
            </li>
          ))}
        </ul>
      )}
      <GridTable grid={pointGrid(projection, clusters)} file={projection.method} />
    </section>
  );
}
