/** What every tab of the results editor is given. */
import type { Result } from '../../protocol/result.ts';
import type { ScoresSeen, Trust } from '../../protocol/webview.ts';
import type { Choices } from './model/pageState.ts';
import type { RescoredView } from './rescored.ts';

export interface TabProps {
  /** The run's own. */
  result: Result;
  /** As the choices want it seen: maybe by another estimator or damping. */
  rescored: RescoredView;
  trust: Trust | null;
  scores: ScoresSeen | null;
  running: boolean;
  choices: Choices;
  change: (part: Partial<Choices>) => void;
}
