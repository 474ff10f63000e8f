/** What a protocol of `validate` is. */
import type { ProtocolResult } from '../../../../protocol/validation.ts';
import type { ContextOptions, ValidationContext } from './validateContext.ts';

export type ProtocolAnswer = Omit<ProtocolResult, 'protocol' | 'seconds' | 'title'>;

/** What is known before anything is trained. */
export type Facts = Pick<ContextOptions, 'prepared' | 'settings' | 'train' | 'validation'>;

export interface Protocol {
  title: string;
  /** Why it cannot be run on this task; null when it can. */
  obstacle(facts: Facts): string | null;
  /** Texts that it reads beside the samples. @throws LayerifError `badData` where there are too few */
  requires?(facts: Facts): Promise<unknown>;
  run(context: ValidationContext): Promise<ProtocolAnswer>;
}
