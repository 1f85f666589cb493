import type { Plan } from '../core/plan';
import type { Topology } from '../core/topology';

/**
 * Short questions that only the backend can answer, because they run an author's code or load engines: one process,
 * one question, one answer over Node's own channel between parent and child.
 */

export type Query = { readonly kind: 'evaluate'; readonly plan: Plan } | { readonly kind: 'engines' };

/** What an engine is here, or what it lacks. */
export type EngineAnswer =
  | {
      readonly name: string;
      readonly available: true;
      readonly device: string;
      readonly version: string;
      readonly threads: number | null;
      /** Bytes that it can use at most. */
      readonly memory: number | null;
    }
  | {
      readonly name: string;
      readonly available: false;
      readonly missing: string;
      readonly install: string | null;
    };

export interface Answers {
  readonly evaluate: { readonly topology: Topology; readonly siteOf: Readonly<Record<string, number>> };
  readonly engines: readonly EngineAnswer[];
}

export type Reply =
  | { readonly ok: true; readonly answer: unknown }
  | {
      readonly ok: false;
      readonly kind: 'bad-input' | 'training' | 'environment';
      readonly code: string;
      readonly message: string;
    };

/** Argument that makes a backend answer a query instead of training. */
export const QUERY_ARGUMENT = '--query';
