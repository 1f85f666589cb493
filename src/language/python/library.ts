import type { Syntax } from '../syntax';
import type { CallArguments, Interpreter } from './interpreter';
import type { Value } from './values';

/** What an interpreter knows of machine learning libraries. */
export interface Library {
  /** Calls a function or makes an object of a library. */
  callPath(interpreter: Interpreter, path: string, args: CallArguments, node: Syntax): Value;
  /** Calls a method of a value: of a tensor, a list, a sequence of modules. */
  callMethod(interpreter: Interpreter, self: Value, name: string, args: CallArguments, node: Syntax): Value;
  /** Calls a layer, model or module on tensors. */
  callModule(interpreter: Interpreter, module: Value, args: CallArguments, node: Syntax): Value;
  attribute(object: Value, name: string, node: Syntax): Value | undefined;
  /** An operator of which at least one side is a tensor. */
  operate(interpreter: Interpreter, operator: string, left: Value, right: Value, node: Syntax): Value;
}
