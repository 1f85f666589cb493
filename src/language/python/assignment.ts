import type { Syntax } from '../syntax';
import { writeAttribute } from './attributes';
import type { Evaluator } from './evaluation';
import { unknownAt, type Scope, type Value } from './values';

/** Binds a name, a tuple of names, an attribute or an item. */
export function assignTo(interpreter: Evaluator, target: Syntax, value: Value, scope: Scope): void {
  switch (target.type) {
    case 'identifier':
    case 'as_pattern_target':
      interpreter.setName(target.text, value, scope);
      return;
    case 'attribute': {
      const object = target.field('object');
      const name = target.field('attribute')?.text;
      if (object !== undefined && name !== undefined)
        writeAttribute(interpreter.evaluate(object, scope), name, value);
      return;
    }
    case 'pattern_list':
    case 'tuple_pattern':
    case 'list_pattern':
    case 'tuple':
    case 'expression_list': {
      const items = interpreter.itemsOf(value);
      const rest = value.kind === 'unknown' ? value : undefined;
      target.namedChildren.forEach((child, index) => {
        const item = items?.[index] ?? rest ?? unknownAt(child, 'it comes out of something unknown');
        assignTo(interpreter, child, item, scope);
      });
      return;
    }
    case 'subscript':
      assignItem(interpreter, target, value, scope);
      return;
    default:
  }
}

function assignItem(interpreter: Evaluator, target: Syntax, value: Value, scope: Scope): void {
  const [object, index] = [target.field('value'), target.field('subscript')];
  if (object === undefined || index === undefined) return;
  const holder = interpreter.evaluate(object, scope);
  const key = interpreter.evaluate(index, scope);
  if (holder.kind === 'dict' && key.kind === 'string') holder.entries.set(key.value, value);
  if (holder.kind === 'list' && key.kind === 'number') holder.items[key.value] = value;
}
