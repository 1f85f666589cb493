import type { Syntax } from '../syntax';
import { parameterName, type CallArguments, type Evaluator } from './evaluation';
import { listOf, unknownAt, type FunctionValue, type Scope } from './values';

/** Binds what a call gives to the parameters of a function. */
export function bindParameters(
  interpreter: Evaluator,
  fn: FunctionValue,
  args: CallArguments,
  scope: Scope,
  node: Syntax,
): void {
  const given =
    fn.self === undefined || fn.self.kind === 'none' ? [...args.positional] : [fn.self, ...args.positional];
  const named = new Map(args.named);
  for (const parameter of fn.node.field('parameters')?.namedChildren ?? []) {
    const name = parameterName(parameter);
    if (
      /^(?:typed_parameter|list_splat_pattern)$/.test(parameter.type) &&
      parameter.text.startsWith('*') &&
      !parameter.text.startsWith('**')
    ) {
      scope.names.set(name, listOf(given.splice(0), true));
    } else if (parameter.text.startsWith('**')) {
      scope.names.set(name, { kind: 'dict', entries: new Map(named) });
      named.clear();
    } else if (/separator$/.test(parameter.type)) {
      continue;
    } else {
      const fallback = parameter.field('value');
      const value =
        given.shift() ??
        named.get(name) ??
        (fallback === undefined ? undefined : interpreter.evaluate(fallback, fn.scope));
      scope.names.set(name, value ?? unknownAt(node, `the parameter ${name} is not given`));
      named.delete(name);
    }
  }
}
