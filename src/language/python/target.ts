import type { Problem } from '../../core/errors';
import type { Syntax } from '../syntax';
import type { FunctionValue, Value } from './values';

/** Evaluation has what it was for: a functional model is whole once it is made. */
export class TargetMade extends Error {}

/**
 * A call that makes a model somewhere in a file: in a method, a loop, a branch. What runs is led to it: branches
 * around it are taken, whatever their condition, and loops around it have one turn.
 */
export class Target {
  /** What the call made, the first time. */
  value: Value | undefined;
  /** What was called. */
  callee: Value | undefined;
  /** Why the statement around it could not be read. */
  problem: Problem | undefined;
  /** The innermost function around it that was defined in another one. */
  definition: FunctionValue | undefined;

  constructor(readonly node: Syntax) {}

  /** @throws TargetMade */
  noteValue(value: Value, callee: Value): void {
    if (this.value !== undefined) return;
    this.value = value;
    this.callee = callee;
    if (value.kind === 'model') throw new TargetMade();
  }

  noteStop(problem: Problem, statement: Syntax): void {
    if (statement.contains(this.node)) this.problem ??= problem;
  }

  noteDefinition(fn: FunctionValue): void {
    if (fn.node.contains(this.node)) this.definition = fn;
  }

  /** The block of a statement that leads to the call, as long as the call has not been made. */
  blockIn(statement: Syntax): Syntax | undefined {
    if (this.value !== undefined || !statement.contains(this.node)) return undefined;
    for (const child of statement.walk())
      if (child.type === 'block' && child.contains(this.node)) return child;
    return undefined;
  }

  /** Whether a function leads to the call: it lies in it, or in a class whose objects the function sets up. */
  isAround({ node, ofClass }: FunctionValue): boolean {
    if (node.contains(this.node)) return true;
    return ofClass?.node.contains(this.node) === true && node.field('name')?.text === '__init__';
  }
}
