import type { Topology } from '../../core/topology';
import type { ModuleRequest } from './request';
import { writeKeras } from './writeKeras';
import { writeTfjs } from './writeTfjs';
import { writeTorch } from './writeTorch';

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
