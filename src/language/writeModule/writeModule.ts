import type { Topology } from '../../core/topology';
import { writeKeras } from './writeKeras';
import { writeTfjs } from './writeTfjs';
import { writeTorch } from './writeTorch';

/** A library to write a module for. */
export type ModuleLibrary = 'tfjs' | 'keras' | 'torch';

export interface ModuleRequest {
  readonly library: ModuleLibrary;
  /** Only for TensorFlow.js: with types. */
  readonly typescript: boolean;
  /** Name of the model, for the documentation. */
  readonly model: string;
  /** A hint to keep above a layer, without comment marks, e.g. `@shrink min=8`. */
  readonly hintOf: (layer: string) => string | undefined;
}

/**
 * Writes the source of a module that makes a topology: what is offered where widths cannot be edited in place.
 * Layers keep their names, so that weights load by name.
 *
 * @throws ShrinkError `module` for what the library has no counterpart of
 */
export function writeModule(topology: Topology, request: ModuleRequest): string {
  switch (request.library) {
    case 'tfjs':
      return writeTfjs(topology, request);
    case 'keras':
      return writeKeras(topology, request);
    case 'torch':
      return writeTorch(topology, request);
  }
}
