import { messageOf, ShrinkError } from '../core/errors';
import type { EngineStatus } from '../engine/engine';
import { findEngine, listEngines } from '../engine/registry';
import type { Answers, EngineAnswer, Query, Reply } from '../protocol/query';
import { topologyOf } from '../train/model';
import { evaluatePlan } from './userCode';

/** Answers the one question that the parent process sends, and ends. */
export function answerQuery(): void {
  process.once('message', (query: Query) => {
    answer(query).then(
      (value) => reply({ ok: true, answer: value }),
      (thrown: unknown) =>
        reply(
          thrown instanceof ShrinkError
            ? { ok: false, kind: thrown.kind, code: thrown.code, message: thrown.message }
            : { ok: false, kind: 'environment', code: 'query-failed', message: messageOf(thrown) },
        ),
    );
  });
  // Whoever asked is gone: so is the reason to run.
  process.once('disconnect', () => process.exit(0));
}

function reply(message: Reply): void {
  process.send?.(message, () => process.exit(0));
}

async function answer(query: Query): Promise<Answers[Query['kind']]> {
  switch (query.kind) {
    case 'engines':
      return (await listEngines()).map(describe);
    case 'evaluate': {
      await findEngine('cpu').load();
      const { model, siteOf } = await evaluatePlan(query.plan);
      return { topology: topologyOf(model), siteOf };
    }
  }
}

function describe(status: EngineStatus): EngineAnswer {
  if (status.available) {
    const { name, device, version, threads, memory } = status.description;
    return { name, available: true, device, version, threads, memory };
  }
  return { name: status.name, available: false, missing: status.missing, install: status.install };
}
