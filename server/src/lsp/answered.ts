/** Bad input is an answer that a page shows, not a failed request; a defect fails. */
import { LayerifError, located } from '../../../protocol/errors.ts';

export interface WithError {
  error: { code: string; message: string } | null;
}

/** @param nothing what stands in the answer beside the error */
export async function answered<T extends object>(nothing: T, work: () => Promise<T>): Promise<T & WithError> {
  try {
    return { ...(await work()), error: null };
  } catch (error) {
    if (!(error instanceof LayerifError)) throw error;
    return { ...nothing, error: { code: error.code, message: located(error) } };
  }
}
