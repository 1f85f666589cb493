import { analyse } from '../core/analysis';
import type { Point } from '../core/events';
import { sizeOfSnapshot, type Finished } from './finish';
import type { Prepared } from './prepare';
import { widthsOf } from './network';

/** A finished size as the journal tells it. */
export function pointOf(finished: Finished, prepared: Prepared): Point {
  const { snapshot, validation, test, epochs } = finished;
  const widths = widthsOf(analyse(snapshot.graph, prepared.sizing));
  return { budget: snapshot.budget, widths, ...sizeOfSnapshot(snapshot, prepared), validation, test, epochs };
}
