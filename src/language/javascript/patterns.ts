import type { Syntax } from '../syntax';

/** The names in parameters, patterns and imports. */

/** The parameter nodes of a function, in order. */
export function parametersOf(node: Syntax): Syntax[] {
  const single = node.field('parameter');
  if (single !== undefined) return [single];
  return node.field('parameters')?.namedChildren.filter((child) => child.type !== 'decorator') ?? [];
}

/** How messages call a parameter. */
export function parameterName(parameter: Syntax): string {
  const names = patternNames(parameter).map((name) => name.text);
  return names.length === 1 ? (names[0] ?? '') : `{ ${names.join(', ')} }`;
}

/** The names that a declaration pattern binds. */
export function patternNames(pattern: Syntax): Syntax[] {
  switch (pattern.type) {
    case 'identifier':
    case 'shorthand_property_identifier_pattern':
      return [pattern];
    case 'required_parameter':
    case 'optional_parameter':
      return patternsIn(pattern.field('pattern'));
    case 'assignment_pattern':
    case 'object_assignment_pattern':
      return patternsIn(pattern.field('left'));
    case 'pair_pattern':
      return patternsIn(pattern.field('value'));
    case 'object_pattern':
    case 'array_pattern':
    case 'rest_pattern':
      return pattern.namedChildren.flatMap(patternNames);
    default:
      return [];
  }
}

function patternsIn(node: Syntax | undefined): Syntax[] {
  return node === undefined ? [] : patternNames(node);
}

/** The local names that an import makes. */
export function importedNames(statement: Syntax): Syntax[] {
  const names: Syntax[] = [];
  for (const node of statement.child('import_clause')?.namedChildren ?? []) {
    if (node.type === 'identifier') names.push(node);
    else if (node.type === 'namespace_import') names.push(...node.namedChildren);
    else if (node.type === 'named_imports')
      for (const specifier of node.namedChildren) {
        const local = specifier.field('alias') ?? specifier.field('name');
        if (local !== undefined) names.push(local);
      }
  }
  const required = statement.child('import_require_clause')?.child('identifier');
  if (required !== undefined) names.push(required);
  return names;
}
