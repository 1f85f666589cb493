import type { Range } from '../../core/errors';
import type { WidthTrace } from '../reading';
import type { Syntax } from '../syntax';
import { argumentsOf, propertyOf, unwrap, wrapOut } from './nodes';
import type { Binding, ScopeTable } from './scopes';

/** The key that writes the width, by layer constructor. Layers that are not here have no width of their own. */
const WIDTH_KEYS: Readonly<Record<string, string>> = {
  dense: 'units',
  conv1d: 'filters',
  conv2d: 'filters',
  conv3d: 'filters',
  conv2dTranspose: 'filters',
  conv3dTranspose: 'filters',
  separableConv2d: 'filters',
  simpleRNN: 'units',
  gru: 'units',
  lstm: 'units',
  embedding: 'outputDim',
};

/** A call of a layer constructor. */
export interface LayerCall {
  readonly node: Syntax;
  readonly layerType: string;
  readonly hasWidth: boolean;
  readonly widthRange?: Range;
  readonly width: number | undefined;
  readonly trace: LayerTrace;
}

/** A width trace whose constant still lists every use, before it is known which model reads it. */
type LayerTrace =
  | Exclude<WidthTrace, { kind: 'constant' }>
  | { readonly kind: 'constant'; readonly name: string; readonly uses: readonly Syntax[] };

/** Finds every layer call of a file, in source order. */
export function findLayerCalls(
  tfCalls: ReadonlyMap<Syntax, readonly string[]>,
  scopes: ScopeTable,
): LayerCall[] {
  const calls: LayerCall[] = [];
  for (const [node, path] of tfCalls) {
    if (node.type !== 'call_expression' || path.length !== 2 || path[0] !== 'layers') continue;
    const layerType = path[1] ?? '';
    if (!/^[a-z]/.test(layerType) || layerType === 'input') continue;
    calls.push({ node, layerType, ...readWidth(node, layerType, scopes) });
  }
  return calls;
}

function readWidth(
  call: Syntax,
  layerType: string,
  scopes: ScopeTable,
): Omit<LayerCall, 'node' | 'layerType'> {
  const key = WIDTH_KEYS[layerType];
  if (key === undefined) return { hasWidth: false, width: undefined, trace: { kind: 'none' } };
  const config = argumentsOf(call)[0];
  const written = config === undefined ? undefined : findProperty(config, key, scopes);
  const traced: Traced =
    written === undefined
      ? { trace: { kind: 'computed', range: call.range, reason: `has no ${key} that can be read here` } }
      : traceNumber(written, scopes, 0);
  return { hasWidth: true, width: undefined, ...traced };
}

/** The value of a key in an object literal, or in the constant that holds one. */
function findProperty(node: Syntax, key: string, scopes: ScopeTable): Syntax | undefined {
  const inner = unwrap(node);
  return inner.type === 'object'
    ? propertyOf(inner, key)
    : propertyOf(constantObject(inner, scopes) ?? inner, key);
}

interface Traced {
  readonly widthRange?: Range;
  readonly width?: number;
  readonly trace: LayerTrace;
}

/** Follows an expression to the one literal that gives its value. */
function traceNumber(node: Syntax, scopes: ScopeTable, depth: number): Traced {
  const inner = unwrap(node);
  const computed = (reason: string): Traced => ({ trace: { kind: 'computed', range: inner.range, reason } });
  const literal = integerOf(inner);
  if (literal !== undefined) return { widthRange: inner.range, width: literal, trace: { kind: 'literal' } };
  if (depth > 10) return computed('leads through too many constants');
  if (inner.type === 'member_expression') return traceMember(inner, scopes, depth) ?? computed('is computed');
  if (inner.type !== 'identifier' && inner.type !== 'shorthand_property_identifier')
    return computed('is computed');
  const binding = scopes.bindingOf(inner);
  if (binding === undefined) return computed(`comes from ${inner.text}, which is not declared in this file`);
  if (binding.kind === 'import') return computed(`comes from ${inner.text}, which another file declares`);
  if (binding.kind === 'parameter') return computed(`comes from the parameter ${inner.text}`);
  const value = constantValue(binding);
  if (value === undefined) return computed(`comes from ${inner.text}, which takes more than one value`);
  const behind = traceNumber(value, scopes, depth + 1);
  if (behind.trace.kind === 'computed') return computed(`comes from ${inner.text}, which is computed`);
  const deeper = behind.trace.kind === 'constant' ? behind.trace.uses.filter((use) => use !== value) : [];
  return {
    ...behind,
    trace: { kind: 'constant', name: inner.text, uses: [...binding.references, ...deeper] },
  };
}

/** `config.hidden`, where `config` is a constant object literal. */
function traceMember(node: Syntax, scopes: ScopeTable, depth: number): Traced | undefined {
  const object = node.field('object');
  const key = node.field('property')?.text;
  if (object === undefined || key === undefined) return undefined;
  const binding = scopes.bindingOf(unwrap(object));
  const literal = constantObject(object, scopes);
  const value = literal === undefined ? undefined : propertyOf(literal, key);
  if (binding === undefined || value === undefined) return undefined;
  const behind = traceNumber(value, scopes, depth + 1);
  if (behind.trace.kind === 'computed') return behind;
  // A use of another key does not matter; a use of the whole object may be one of this key.
  const uses = binding.references.flatMap((use) => {
    const parent = use.parent;
    if (parent?.type !== 'member_expression' || parent.field('object') !== use) return [use];
    return parent.field('property')?.text === key ? [parent] : [];
  });
  const deeper = behind.trace.kind === 'constant' ? behind.trace.uses.filter((use) => use !== value) : [];
  return { ...behind, trace: { kind: 'constant', name: node.text, uses: [...uses, ...deeper] } };
}

function constantObject(node: Syntax, scopes: ScopeTable): Syntax | undefined {
  const binding = scopes.bindingOf(unwrap(node));
  const value = binding === undefined ? undefined : constantValue(binding);
  const inner = value === undefined ? undefined : unwrap(value);
  return inner?.type === 'object' ? inner : undefined;
}

/** The one value of a variable: it is declared with it and never assigned again. */
export function constantValue(binding: Binding): Syntax | undefined {
  if (binding.kind !== 'variable' || binding.node.type !== 'variable_declarator') return undefined;
  if (binding.node.field('name')?.type !== 'identifier') return undefined;
  const assigned = binding.references.some((use) => isAssigned(use));
  return assigned ? undefined : binding.node.field('value');
}

/** Whether a use of a name (or of a member of it) is the target of an assignment. */
function isAssigned(use: Syntax): boolean {
  let node = wrapOut(use);
  while (
    (node.parent?.type === 'member_expression' || node.parent?.type === 'subscript_expression') &&
    node.parent.field('object') === node
  )
    node = node.parent;
  const parent = node.parent;
  if (parent?.type === 'update_expression') return true;
  if (parent?.type === 'for_in_statement') return parent.field('left') === node;
  const assigns =
    parent?.type === 'assignment_expression' || parent?.type === 'augmented_assignment_expression';
  if (assigns) return parent.field('left') === node;
  return use.type === 'shorthand_property_identifier_pattern' || parent?.type === 'array_pattern';
}

function integerOf(node: Syntax): number | undefined {
  if (node.type !== 'number' || !/^[\d_]+$/.test(node.text)) return undefined;
  const value = Number(node.text.replaceAll('_', ''));
  return Number.isSafeInteger(value) && value > 0 ? value : undefined;
}

/** A layer call's trace as a model with these width expressions sees it. */
export function finishTrace(trace: LayerTrace, modelWidths: ReadonlySet<Syntax>): WidthTrace {
  if (trace.kind !== 'constant') return trace;
  const others = trace.uses.filter((use) => !modelWidths.has(wrapOut(use))).map((use) => use.range);
  return { kind: 'constant', name: trace.name, others };
}

/** The expression that writes a layer call's width, casts and parentheses included. */
export function widthExpression(call: LayerCall, scopes: ScopeTable): Syntax | undefined {
  const key = WIDTH_KEYS[call.layerType];
  const config = argumentsOf(call.node)[0];
  return key === undefined || config === undefined ? undefined : findProperty(config, key, scopes);
}
