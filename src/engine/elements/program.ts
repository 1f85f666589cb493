/** What is done to each element of some arrays of one size, as a list of values of which later ones use earlier ones. */

/** ONNX operations that can be one, with the WebAssembly instruction (the part behind the SIMD prefix) for four floats. */
export const OPERATIONS = {
  Abs: 0xe0,
  Neg: 0xe1,
  Sqrt: 0xe3,
  Add: 0xe4,
  Sub: 0xe5,
  Mul: 0xe6,
  Div: 0xe7,
  Min: 0xe8,
  Max: 0xe9,
} as const;
export type Operation = keyof typeof OPERATIONS;

export type Item =
  /** An element of an array. */
  | { readonly kind: 'array'; readonly array: number }
  /** A number that is the same for all elements. */
  | { readonly kind: 'number'; readonly number: number }
  /** The result of an operation on earlier items. */
  | { readonly kind: 'result'; readonly operation: Operation; readonly of: readonly number[] };

export interface Program {
  readonly arrays: number;
  readonly numbers: number;
  readonly items: readonly Item[];
  /** Which item each array becomes, by its number; arrays that are only read are not among them. */
  readonly stores: readonly { readonly array: number; readonly item: number }[];
}
