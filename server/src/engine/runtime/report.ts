/** How work in the engine tells of itself: events without the id of their request. */
import type { EngineEvent } from '../../../../protocol/engine.ts';

export type Report = (event: WithoutId<EngineEvent>) => void;

export type WithoutId<T> = T extends unknown ? Omit<T, 'id'> : never;
