import type { Problem } from '../../core/errors';
import type { Syntax } from '../syntax';
import type { Evaluator } from './evaluation';
import { Stop, unknownAt, type Scope, type UnknownValue, type Value } from './values';

/**
 * Names and attributes that a piece of code would set are not known after it, and a model that it would add layers to
 * is not known from there on.
 *
 * @param cause what kept the code from being read, where something did
 */
export function forget(interpreter: Evaluator, node: Syntax, scope: Scope, cause?: Problem): void {
  const unknown = (at: Syntax): UnknownValue =>
    cause === undefined
      ? unknownAt(at, 'it depends on what is not known')
      : { ...unknownAt(at, cause.message.replace(/\.$/, '')), cause };
  for (const inner of node.walk((child) => child === node || !/definition$|^lambda$/.test(child.type))) {
    const left =
      /assignment$/.test(inner.type) || inner.type === 'for_statement' ? inner.field('left') : undefined;
    if (left !== undefined) interpreter.assign(left, unknown(left), scope);
    const model = inner.type === 'call' ? addedTo(interpreter, inner, scope) : undefined;
    if (model?.kind === 'sequence')
      model.items.push({ name: String(model.items.length), value: unknown(inner) });
  }
}

/** What `x.add(…)` or `x.append(…)` adds to. */
function addedTo(interpreter: Evaluator, call: Syntax, scope: Scope): Value | undefined {
  const callee = call.field('function');
  const object = callee?.field('object');
  if (object === undefined || !/^(?:add|append|extend|insert)$/.test(callee?.field('attribute')?.text ?? ''))
    return undefined;
  if (object.type === 'identifier') return interpreter.lookUp(object.text, scope);
  if (!/^\w+(?:\.\w+)+$/.test(object.text)) return undefined;
  try {
    return interpreter.evaluate(object, scope);
  } catch (thrown) {
    if (thrown instanceof Stop) return undefined;
    throw thrown;
  }
}
