import type { Syntax } from '../syntax';
import type { LinkedScopes } from './linkedScopes';
import type { MutationIndex } from './mutations';
import type { Binding } from './scopes';

/** What a slice starts from. */
export interface SliceRoot {
  /** Functions whose bodies become the entry, outermost first: they end in the model instead of in a return. */
  readonly chain: readonly Syntax[];
  /** Bindings whose values the result is made of. */
  readonly needs: readonly Binding[];
  /** Expressions that are evaluated as they stand. */
  readonly expressions: readonly Syntax[];
  /** Variables that start as empty objects, whatever the source makes them of. */
  readonly boxes: readonly Binding[];
  /** The object that holds the model, and by which key. */
  readonly holder: { readonly binding: Binding; readonly key: string } | undefined;
  /** An object of functions of which only one is called from outside. */
  readonly menu: { readonly binding: Binding; readonly key: string } | undefined;
  /** The innermost function of the chain ends in its own `return`. */
  readonly returns: boolean;
}

/** What is known of the files that a slice is taken of. */
export interface SlicedProgram {
  readonly scopes: LinkedScopes;
  readonly mutations: MutationIndex;
  /** What only loads what is made elsewhere. */
  readonly skipped: ReadonlySet<Syntax>;
}

/** The parts of a file that a model needs. */
export interface Slice {
  readonly included: ReadonlySet<Syntax>;
  /** Functions whose bodies are cut to what is needed; `undefined` in `isCut` means the top of the module. */
  isCut(fn: Syntax | undefined): boolean;
  /** Classes whose members are cut to what is needed. */
  readonly cutClasses: ReadonlySet<Syntax>;
  /** An object of functions that is cut to what is needed. */
  readonly cutObject: Syntax | undefined;
  readonly needed: ReadonlySet<Binding>;
  /** Names of a file through which it reaches what other files declare. */
  readonly aliases: ReadonlySet<Binding>;
}
