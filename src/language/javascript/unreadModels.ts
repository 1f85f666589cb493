import type { Problem } from '../../core/errors';
import { piecewise, type Syntax } from '../syntax';
import { creationKind } from './findModels';
import { enclosingFunction, rootOf, wrapOut } from './nodes';
import type { ScriptModule } from './scriptProgram';

const memberCalls = piecewise((nodes) =>
  nodes.filter(
    (node) => node.type === 'call_expression' && node.field('function')?.type === 'member_expression',
  ),
);

/**
 * What makes a model that is not listed gets a warning, so that nobody waits for it.
 *
 * @param isRead whether a call is part of a model that is listed, or of one that another problem is about
 */
export function findUnread(module: ScriptModule, isRead: (call: Syntax) => boolean): Problem[] {
  const { root, tfCalls } = module;
  const made = [...tfCalls].flatMap(([call, path]) => (creationKind(call, path) === undefined ? [] : [call]));
  const foreign = memberCalls(root).filter(
    (call) => !tfCalls.has(call) && /\btf\.(?:sequential|model)$/.test(call.field('function')?.text ?? ''),
  );
  return [...made, ...foreign]
    .filter((call) => !isRead(call))
    .map((call): Problem => {
      const [why, advice] = explain(call, foreign.includes(call));
      return {
        severity: 'warning',
        code: 'unread-model',
        message: `This model is not read: ${why}; ${advice}.`,
        range: (call.field('function') ?? call).range,
      };
    });
}

function explain(call: Syntax, isForeign: boolean): readonly [string, string] {
  if (isForeign) {
    const library = call.field('function')?.field('object')?.text ?? 'tf';
    return [
      `where ${library} comes from is not followed`,
      "import it in this file, e.g. import * as tf from '@tensorflow/tfjs'",
    ];
  }
  const assignment = wrapOut(call).parent;
  const target = assignment?.type === 'assignment_expression' ? assignment.field('left') : undefined;
  if (target === undefined)
    return ['nothing here keeps it or returns it', 'put it into a variable, or return it from a function'];
  if (rootOf(target).type === 'this' && enclosingFunction(call) !== undefined)
    return [`${target.text} belongs to no class here`, 'write a class, or return the model from a function'];
  return [`${target.text} is not declared here`, 'put it into a variable, or return it from a function'];
}
