/**
 * The layer scores that there are. To add one: a file like `blockInfluence.ts` and a row here; schema, command line,
 * list, report, chart and documentation follow from it.
 */
import { LayerifError } from '../../../protocol/errors.ts';
import { agreement } from './agreement.ts';
import { alphaHill } from './alphaHill.ts';
import { angularDistance } from './angularDistance.ts';
import { avss } from './avss.ts';
import { blockInfluence } from './blockInfluence.ts';
import { cka } from './cka.ts';
import { eavss } from './eavss.ts';
import { effectiveRank } from './effectiveRank.ts';
import { clusterInformation } from './clusterInformation.ts';
import { fisherTrace } from './fisherTrace.ts';
import { grasp } from './grasp.ts';
import { ila } from './ila.ts';
import { layerDrop } from './layerDrop.ts';
import { logitLens } from './logitLens.ts';
import { magnitude } from './magnitude.ts';
import { meanCca } from './meanCca.ts';
import { ndr } from './ndr.ts';
import { owl } from './owl.ts';
import { fusion } from './fusion.ts';
import { probe } from './probe.ts';
import { pwcca } from './pwcca.ts';
import { removal } from './removal.ts';
import { relativeMagnitude } from './relativeMagnitude.ts';
import { snip } from './snip.ts';
import { spider } from './spider.ts';
import { taylor, taylorPlus } from './taylor.ts';
import type { Score } from './types.ts';

export const scores: readonly Score[] = [
  blockInfluence,
  relativeMagnitude,
  angularDistance,
  layerDrop,
  removal,
  avss,
  eavss,
  alphaHill,
  owl,
  magnitude,
  cka,
  effectiveRank,
  taylor,
  taylorPlus,
  snip,
  grasp,
  fisherTrace,
  logitLens,
  spider,
  ila,
  probe,
  fusion,
  clusterInformation,
  pwcca,
  meanCca,
  ndr,
  agreement,
];

/** @throws LayerifError `badRequest` */
export function findScore(id: string, among: readonly Score[] = scores): Score {
  const found = among.find((score) => score.id === id);
  if (found) return found;
  throw new LayerifError('badRequest', `there is no score "${id}": use one of ${among.map((s) => s.id).join(', ')}`);
}
