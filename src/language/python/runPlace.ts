import { emptyArguments, findMember, fromJson, isPlainCall, type CallArguments } from './evaluation';
import { parametersAround, type ModelPlace } from './findPlaces';
import type { Interpreter } from './interpreter';
import { plainPath } from './paths';
import { TargetMade, type Target } from './target';
import { NONE, Stop, stopAt, type Value } from './values';

/**
 * Runs what leads to a model that is made in a function or class: the class's constructor, the function, and those
 * that are defined in it.
 *
 * @param given `args` of the model's hint: for the constructor first, then for the function
 */
export function leadTo(
  interpreter: Interpreter,
  place: ModelPlace,
  target: Target,
  given: readonly unknown[] | undefined,
): void {
  const values = given?.map(fromJson);
  interpreter.target = target;
  try {
    callOuter(interpreter, place, target, values);
    let before = undefined;
    while (target.value === undefined && target.definition !== before && target.definition !== undefined) {
      before = target.definition;
      interpreter.callFunction(before, emptyArguments(), place.node);
    }
  } catch (thrown) {
    if (thrown instanceof Stop) target.problem ??= thrown.problem;
    else if (!(thrown instanceof TargetMade)) throw thrown;
  } finally {
    interpreter.target = undefined;
  }
}

function callOuter(
  interpreter: Interpreter,
  { around, node }: ModelPlace,
  target: Target,
  values: readonly Value[] | undefined,
): void {
  const [outer, inner] = around;
  const known = interpreter.globals.names.get(outer?.field('name')?.text ?? '');
  if (known?.kind === 'function' && known.node === outer) {
    const args = values === undefined ? undefined : emptyArguments(values);
    interpreter.callFunction(known, args ?? calledWith(interpreter, known.node), node);
    return;
  }
  if (known?.kind !== 'class' || known.node !== outer) return;
  const count = parametersAround(around).ofClass.length;
  const made = interpreter.made.find((entry) => entry.value.ofClass === known && isPlainCall(entry.args));
  const first =
    values === undefined ? (made?.args ?? emptyArguments()) : emptyArguments(values.slice(0, count));
  const self = interpreter.instantiate(known, first, node);
  const rest = values?.slice(count) ?? [];
  if (target.value !== undefined && rest.length === 0) return;
  const method = findMember(known, inner?.field('name')?.text ?? '');
  if (method?.kind !== 'function' || method.node !== inner) return;
  target.value = undefined;
  const args = rest.length > 0 ? emptyArguments(rest) : calledWith(interpreter, method.node);
  interpreter.callFunction({ ...method, self: method.self?.kind === 'none' ? NONE : self }, args, node);
}

/** What the module gives a function where it calls it: that is what the author means. */
function calledWith(interpreter: Interpreter, node: ModelPlace['call']): CallArguments {
  return (interpreter.called.get(node) ?? []).find(isPlainCall) ?? emptyArguments();
}

/** The model that a target made. @throws Stop why there is none; `not-a-model` for what is no model of a library */
export function valueOf(interpreter: Interpreter, { call, name }: ModelPlace, target: Target): Value {
  const { value, problem } = target;
  if (value?.kind === 'sequence' || value?.kind === 'model') return value;
  const written = call.field('function')?.text ?? '';
  const callee = target.callee ?? interpreter.globals.names.get(written);
  if (callee !== undefined && isForeign(callee))
    throw stopAt(call, 'not-a-model', `${written} makes no model of Keras or PyTorch.`);
  if (value?.kind === 'unknown')
    throw stopAt(value, 'unknown-value', `${name} is no model that can be read: ${value.reason}.`);
  if (problem !== undefined) throw new Stop(problem);
  throw stopAt(
    call,
    'not-reached',
    `${name} cannot be read: how the code gets here is not known; ` +
      'make the model in a function of its own that returns it.',
  );
}

function isForeign(callee: Value): boolean {
  if (callee.kind === 'path') return !/^(?:keras|torch)\b/.test(plainPath(callee.path));
  return callee.kind !== 'unknown' || !callee.reason.includes('is not declared');
}
