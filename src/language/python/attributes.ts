import { findMember } from './evaluation';
import type { Value } from './values';

/** An attribute of a value of the file: an instance's own, its class's, a library's. */
export function readAttribute(object: Value, name: string): Value | undefined {
  switch (object.kind) {
    case 'path':
      return { kind: 'path', path: `${object.path}.${name}` };
    case 'instance': {
      const own = object.attributes.get(name);
      if (own !== undefined) return own;
      const member = findMember(object.ofClass, name);
      if (member?.kind === 'function')
        return member.self === undefined ? { ...member, self: object } : member;
      return member ?? { kind: 'bound', name, self: object };
    }
    case 'class':
      return (
        findMember(object, name) ?? (name === '__name__' ? { kind: 'string', value: object.name } : undefined)
      );
    case 'unknown':
      return object;
    case 'sequence': {
      const item = object.items.find((candidate) => candidate.name === name);
      return item?.value ?? { kind: 'bound', name, self: object };
    }
    case 'list':
    case 'dict':
    case 'string':
    case 'function':
      return { kind: 'bound', name, self: object };
    default:
      return undefined;
  }
}

/** Sets an attribute where the value can hold one. */
export function writeAttribute(object: Value, name: string, value: Value): void {
  if (object.kind === 'instance') object.attributes.set(name, value);
  if (object.kind === 'class') object.members.set(name, value);
}
