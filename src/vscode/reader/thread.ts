/** The thread that reads sources. Loads no `vscode`: it has no editor. */
import { parentPort } from 'node:worker_threads';
import { messageOf, ShrinkError } from '../../core/errors';
import {
  hintCompletions,
  hintHover,
  makePlan,
  type FollowedSource,
  type SourceReading,
} from '../../language';
import { modelFollower, readJoinedText } from '../../shell/sources';
import type {
  Answer,
  HeldTexts,
  PlainError,
  PlainReading,
  PlaceInVersion,
  Question,
  Questions,
  Request,
  ToRead,
} from './messages';

interface Followed {
  readonly source: FollowedSource;
  readonly version: string;
  readonly reading: SourceReading;
}

const followed = new Map<string, Followed>();
let heldNow: HeldTexts = {};
const follower = modelFollower((file) => heldNow[file]);
type Follow = Awaited<typeof follower>;

type AnswerTo<Kind extends Question> = Questions[Kind]['answer'];

/** One handler a question. Those about sources that are followed answer without waiting, and so in order. */
const answers: {
  readonly [Kind in Question]: (
    ask: Questions[Kind]['ask'],
    follow: Follow,
  ) => AnswerTo<Kind> | Promise<AnswerTo<Kind>>;
} = {
  follow({ key, version, file, text, held }, follow) {
    heldNow = held;
    const source = followed.get(key)?.source ?? follow(file);
    const reading = source.read(text);
    followed.set(key, { source, version, reading });
    return plain(reading);
  },
  close({ key }) {
    followed.get(key)?.source.close();
    followed.delete(key);
    return null;
  },
  complete(place) {
    const reading = readingOf(place);
    return reading === undefined ? [] : hintCompletions(reading, place.offset);
  },
  hover(place) {
    const reading = readingOf(place);
    return (reading && hintHover(reading, place.offset)) ?? null;
  },
  async read(ask) {
    return plain(await readOnce(ask));
  },
  async plan({ model, ...ask }) {
    return makePlan(await readOnce(ask), model);
  },
  async emit({ plan, result, compact, starter, ...ask }) {
    const { planEmission } = await import('../../shell/emission');
    return planEmission(await readOnce(ask), plan, result, compact, starter);
  },
  async revert({ plan, result, ...ask }) {
    const { planRevert } = await import('../../shell/revert');
    return planRevert(await readOnce(ask), plan, result);
  },
};

function readOnce({ file, text, held }: ToRead): Promise<SourceReading> {
  return readJoinedText(file, text, (other) => held[other]);
}

function readingOf({ key, version }: PlaceInVersion): SourceReading | undefined {
  const known = followed.get(key);
  return known?.version === version ? known.reading : undefined;
}

function plain({ internal: _, text: __, ...reading }: SourceReading): PlainReading {
  return reading;
}

type Handler = (ask: unknown, follow: Follow) => unknown;

async function answer({ id, kind, ask }: Request, follow: Follow): Promise<void> {
  let message: Answer;
  try {
    message = { id, answer: await (answers[kind] as Handler)(ask, follow) };
  } catch (thrown) {
    message = { id, error: plainError(thrown) };
  }
  parentPort?.postMessage(message);
}

function plainError(thrown: unknown): PlainError {
  const message = messageOf(thrown);
  if (thrown instanceof ShrinkError) return { message, known: { kind: thrown.kind, code: thrown.code } };
  return thrown instanceof Error && thrown.stack !== undefined
    ? { message, stack: thrown.stack }
    : { message };
}

parentPort?.on('message', (request: Request) => {
  void follower.then((follow) => answer(request, follow));
});
