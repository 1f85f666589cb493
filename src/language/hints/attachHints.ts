import type { Problem, Range } from '../../core/errors';
import type { LayerHint } from '../../core/plan';
import type { FoundModel, Hint, HintTarget } from '../reading';
import { covers, type Syntax } from '../syntax';
import { checkAgainstWidth, checkLearnedHint, readLayerHint, readModelHint } from './checkHints';

export interface AttachedHints {
  /** By start offset of the layer call. */
  readonly ofLayer: ReadonlyMap<number, { readonly hint: Hint; readonly value: LayerHint }>;
  /** By name of the model. */
  readonly ofModel: ReadonlyMap<string, { readonly hint: Hint; readonly value: Record<string, string> }>;
  readonly problems: readonly Problem[];
}

/** Finds what every hint stands above. */
export function attachHints(
  root: Syntax,
  text: string,
  hints: readonly Hint[],
  targets: readonly HintTarget[],
  models: readonly FoundModel[],
): AttachedHints {
  const ofLayer = new Map<number, { hint: Hint; value: LayerHint }>();
  const ofModel = new Map<string, { hint: Hint; value: Record<string, string> }>();
  const problems: Problem[] = [];

  const attachLayer = (hint: Hint): void => {
    const read = readLayerHint(hint);
    problems.push(...read.problems);
    const found = findTarget(root, text, hint, targets);
    if ('problem' in found) {
      problems.push(found.problem);
      return;
    }
    const target = found.target;
    if (ofLayer.has(target.range.start)) {
      problems.push(duplicateHint(hint, `This ${target.layerType} layer`, text));
      return;
    }
    if (!target.hasWidth && read.value.off !== true)
      problems.push({
        severity: 'error',
        code: 'layer-without-width',
        message: `A ${target.layerType} layer has no width to learn; move the hint above a layer that has one.`,
        range: hint.range,
        fix: removeHint(hint, text),
      });
    if (hint.trailing) problems.push(trailingHint(hint, target.range, text));
    problems.push(...checkAgainstWidth(hint, read.value, target.width));
    ofLayer.set(target.range.start, { hint, value: read.value });
  };

  const attachModel = (hint: Hint): void => {
    const read = readModelHint(hint);
    problems.push(...read.problems);
    const model = findModelOf(root, text, hint, models);
    if (model === undefined) {
      problems.push({
        severity: 'error',
        code: 'hint-without-model',
        message:
          'There is no model under this hint; put it above the function or variable that makes the model.',
        range: hint.range,
      });
    } else if (ofModel.has(model.name)) {
      problems.push(duplicateHint(hint, `The model ${model.name}`, text));
    } else {
      ofModel.set(model.name, { hint, value: read.value });
    }
  };

  for (const hint of hints) {
    if (hint.tag === '@shrink') attachLayer(hint);
    else if (hint.tag === '@shrink-model') attachModel(hint);
    else problems.push(...checkLearnedHint(hint));
  }
  return { ofLayer, ofModel, problems };
}

type Found = { readonly target: HintTarget } | { readonly problem: Problem };

function findTarget(root: Syntax, text: string, hint: Hint, targets: readonly HintTarget[]): Found {
  const under = hint.trailing
    ? lineRange(text, hint.commentRange.start)
    : rangeUnder(root, hint.commentRange);
  const near =
    under === undefined
      ? []
      : targets.filter((target) =>
          hint.trailing
            ? covers(under, { start: target.range.start, end: target.range.start })
            : covers(under, target.range),
        );
  const target = chooseTarget(near, under, text);
  if (target !== undefined) return { target };
  const problem: Problem =
    near.length === 0
      ? {
          severity: 'error',
          code: 'hint-without-layer',
          message:
            'There is no layer under this hint; put it on its own line above a layer call, or remove it.',
          range: hint.range,
          fix: removeHint(hint, text),
        }
      : {
          severity: 'error',
          code: 'ambiguous-hint',
          message:
            'Several layers stand under this hint; put it on its own line directly above the one it is for.',
          range: hint.range,
        };
  return { problem };
}

function chooseTarget(
  near: readonly HintTarget[],
  under: Range | undefined,
  text: string,
): HintTarget | undefined {
  if (near.length <= 1 || under === undefined) return near[0];
  const line = lineRange(text, under.start);
  const onLine = near.filter((target) => target.range.start >= line.start && target.range.start < line.end);
  if (onLine.length === 1) return onLine[0];
  const sized = (onLine.length === 0 ? near : onLine).filter((target) => target.hasWidth);
  return sized.length === 1 ? sized[0] : undefined;
}

/** The model that a model hint stands above, of anything that knows its places. */
export function findModelOf<T extends { readonly places: readonly Range[] }>(
  root: Syntax,
  text: string,
  hint: Hint,
  models: readonly T[],
): T | undefined {
  const under = hint.trailing
    ? lineRange(text, hint.commentRange.start)
    : rangeUnder(root, hint.commentRange);
  if (under === undefined) return undefined;
  const candidates = models.filter((model) => model.places.some((place) => touches(under, place)));
  // The one that begins first under the hint: a function that makes several parts names the whole.
  return (
    candidates.find((model) => model.places.some((place) => place.start === under.start)) ?? candidates[0]
  );
}

function touches(under: Range, place: Range): boolean {
  return covers(under, place) || (place.start <= under.start && under.start < place.end && place.start > 0);
}

/** The largest piece of code that begins where the code under a comment begins. */
function rangeUnder(root: Syntax, comment: Range): Range | undefined {
  let node: Syntax = root;
  for (;;) {
    const next: Syntax | undefined = node.children.find(
      (child) => child.type !== 'comment' && child.end > comment.end && child.end > child.start,
    );
    if (next === undefined) return undefined;
    // Python's blocks begin with their first statement; the hint is for that statement.
    if (next.start >= comment.end && next.type !== 'block') return next.named ? next.range : undefined;
    node = next;
  }
}

function lineRange(text: string, offset: number): Range {
  const end = text.indexOf('\n', offset);
  return { start: text.lastIndexOf('\n', offset - 1) + 1, end: end === -1 ? text.length : end };
}

function duplicateHint(hint: Hint, what: string, text: string): Problem {
  return {
    severity: 'error',
    code: 'duplicate-hint',
    message: `${what} has two hints; keep one.`,
    range: hint.range,
    fix: removeHint(hint, text),
  };
}

function trailingHint(hint: Hint, layer: Range, text: string): Problem {
  const lineStart = lineRange(text, layer.start).start;
  const indent = /^[\t ]*/.exec(text.slice(lineStart))?.[0] ?? '';
  const lineBreak = text.includes('\r\n') ? '\r\n' : '\n';
  const comment = text.slice(hint.commentRange.start, hint.commentRange.end);
  return {
    severity: 'info',
    code: 'trailing-hint',
    message: 'A hint reads best on its own line above the layer.',
    range: hint.range,
    fix: {
      title: 'Move the hint above the layer',
      edits: [
        { range: { start: lineStart, end: lineStart }, text: indent + comment + lineBreak },
        { range: withSpaceBefore(hint.commentRange, text), text: '' },
      ],
    },
  };
}

function withSpaceBefore(range: Range, text: string): Range {
  let start = range.start;
  while (start > 0 && /[\t ]/.test(text.charAt(start - 1))) start -= 1;
  return { start, end: range.end };
}

function removeHint(hint: Hint, text: string): NonNullable<Problem['fix']> {
  const line = lineRange(text, hint.commentRange.start);
  const range = hint.trailing
    ? withSpaceBefore(hint.commentRange, text)
    : { start: line.start, end: Math.min(text.length, lineRange(text, hint.commentRange.end).end + 1) };
  return { title: 'Remove the hint', edits: [{ range, text: '' }] };
}
