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
  /** Only for PyTorch: where a layer lies in the source's model, as attribute paths. */
  readonly pathsOf?: (layer: string) => readonly string[] | undefined;
}
