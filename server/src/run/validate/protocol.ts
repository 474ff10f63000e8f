/** What a protocol of `validate` is. */
import type { ProtocolResult } from '../../../../protocol/validation.ts';
import type { ValidationContext } from './validateContext.ts';

export type ProtocolAnswer = Omit<ProtocolResult, 'protocol' | 'seconds' | 'title'>;

export interface Protocol {
  title: string;
  /** Why it cannot be run on this task; null when it can. */
  obstacle(context: ValidationContext): string | null;
  run(context: ValidationContext): Promise<ProtocolAnswer>;
}
