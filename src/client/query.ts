import { spawn } from 'node:child_process';
import { ShrinkError } from '../core/errors';
import { QUERY_ARGUMENT, type Answers, type Query, type Reply } from '../protocol/query';
import { backendEnvironment, type BackendSettings } from './spawnBackend';

/** Longest time an author's model may take to be built, in milliseconds. */
const TIMEOUT_MS = 120_000;

/**
 * Asks the backend one question in a process of its own, which ends with the answer.
 *
 * @throws ShrinkError what the backend says, or `query-failed` when it ends without an answer
 */
export async function askBackend<K extends Query['kind']>(
  query: Extract<Query, { kind: K }>,
  settings: Pick<BackendSettings, 'backendScript' | 'nodePath' | 'env'>,
): Promise<Answers[K]> {
  const child = spawn(settings.nodePath ?? process.execPath, [settings.backendScript, QUERY_ARGUMENT], {
    // The author's code may print: that is not the answer, which comes over the channel.
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    env: backendEnvironment(process.env, {
      owner: 'attached',
      ...(settings.env === undefined ? {} : { env: settings.env }),
    }),
  });
  let complaint = '';
  child.stderr?.on('data', (chunk: Buffer) => (complaint = (complaint + chunk.toString()).slice(-2000)));
  const timer = setTimeout(() => child.kill('SIGKILL'), TIMEOUT_MS);
  try {
    const reply = await new Promise<Reply>((resolve, reject) => {
      child.once('message', (message) => resolve(message as Reply));
      child.once('error', reject);
      child.once('exit', (code, signal) => {
        const last = complaint.trim().split('\n').at(-1) ?? '';
        reject(
          new ShrinkError(
            'environment',
            'query-failed',
            `The training program ended (${signal ?? `code ${String(code)}`}) before it answered${last === '' ? '' : `: ${last}`}.`,
          ),
        );
      });
      child.send(query);
    });
    if (!reply.ok) throw new ShrinkError(reply.kind, reply.code, reply.message);
    return reply.answer as Answers[K];
  } finally {
    clearTimeout(timer);
    child.kill('SIGKILL');
  }
}
