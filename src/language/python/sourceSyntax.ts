import type { Syntax } from '../syntax';

/** Reading calls of training code, which is not evaluated. */

/** Arguments of a call that are given by name. */
export function argumentsOf(call: Syntax): { readonly name: string; readonly value: Syntax }[] {
  return (call.field('arguments')?.namedChildren ?? []).flatMap((argument) => {
    const [name, value] = [argument.field('name')?.text, argument.field('value')];
    return argument.type !== 'keyword_argument' || name === undefined || value === undefined
      ? []
      : [{ name, value }];
  });
}

/** Arguments of a call that are given by their place. */
export function positionalOf(call: Syntax): Syntax[] {
  return (call.field('arguments')?.namedChildren ?? []).filter(
    ({ type }) => type !== 'keyword_argument' && type !== 'comment',
  );
}

/** The value of a constant of the module, by one step. */
export function resolve(node: Syntax | undefined, root: Syntax): Syntax | undefined {
  if (node?.type !== 'identifier') return node;
  const assignments = root.walk().filter((inner) => {
    const isTarget = inner.type === 'assignment' && inner.field('left')?.text === node.text;
    return isTarget && inner.parent?.parent === root;
  });
  return assignments.length === 1 ? assignments[0]?.field('right') : node;
}

/** What a string holds; empty for anything else. */
export function stringText(node: Syntax | undefined): string {
  return node?.type === 'string' ? node.text.replace(/^['"]+|['"]+$/g, '') : '';
}

/** `Adam` of `keras.optimizers.Adam`. */
export function lastName(callee: Syntax | undefined): string {
  return callee?.field('attribute')?.text ?? callee?.text ?? '';
}
