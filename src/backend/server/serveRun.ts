import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { basename } from 'node:path';
import { isEngineFailure, messageOf, ShrinkError } from '../../core/errors';
import { JOURNAL_VERSION, type JournalEvent, type RunEvent } from '../../core/events';
import type { RunContext } from '../../core/job';
import { RecentEvents } from '../../core/recentEvents';
import { EXIT_ENGINE_FAILED, EXIT_FAILED } from '../../protocol/process';
import { enginesToAvoid, forgetKilled, readCrashes, type Crash } from '../../run/crashes';
import { acquireLock, releaseLock, type LockInfo } from '../../run/lock';
import { readStartTime } from '../../run/processIdentity';
import { checkResumable, restoreRun, type RestoredRun } from '../../run/restore';
import { readOptions, readPlan } from '../../run/runFolder';
import { makeSocketPath, removeSocketPath } from '../../run/socketPath';
import { Clients } from './clients';
import { killOwnGroup, Lifetime, type LifetimeSettings } from './lifetime';
import { Recorder } from './recorder';
import { describeSupervisor, isLeftAlone, tellSupervisor } from './supervised';

/** What training is to a backend: see `src/core/job.ts`. */
export type Job = (context: RunContext) => Promise<'done' | 'stopped'>;

const NONE_YET = new RecentEvents(0);
/** Time clients have to read the last events. */
const FAREWELL_MS = 2_000;

/**
 * Trains the run of a folder: takes its lock, goes on from its newest whole checkpoint, answers clients, and
 * leaves the folder in a state from which it can be read or resumed, whatever happens.
 *
 * @param folder absolute path of the run
 * @returns the exit code for the process: 0 done or stopped, `EXIT_FAILED` failed, `EXIT_ENGINE_FAILED` to be
 *   started again
 * @throws ShrinkError before anything was changed: `run-missing`, `run-locked`, `run-done`, `journal-version`, …
 */
export async function serveRun(folder: string, job: Job, settings: LifetimeSettings): Promise<number> {
  const [plan, options] = [await readPlan(folder), await readOptions(folder)];
  // Before the lock: whoever starts a backend takes the lock for a sign that it has begun.
  await checkResumable(folder);
  const run = basename(folder);
  const token = randomBytes(32).toString('hex');
  const socket = await makeSocketPath();
  const lifetime = new Lifetime(folder, token, socket, settings);
  let recorder: Recorder | undefined;
  let state: 'running' | 'ended' = 'running';
  let goesOn = false;
  let markReady: () => void = () => undefined;
  const ready = new Promise<void>((resolve) => (markReady = resolve));
  const clients = new Clients({
    run,
    token,
    ready,
    get recent() {
      return recorder?.recent ?? NONE_YET;
    },
    state: () => (state === 'running' && lifetime.signal.aborted ? 'stopping' : state),
    stop: () => lifetime.stop('Stopped on request; what was learned is kept.'),
    kill: () => void releaseLock(folder, token).finally(killOwnGroup),
    detach: () => lifetime.detach(),
    onCount: (attached) => lifetime.countClients(attached),
  });
  try {
    await clients.listen(socket);
    const { stale } = await acquireLock(folder, await describeSelf(socket, token));
    try {
      if (isLeftAlone())
        throw new ShrinkError(
          'environment',
          'supervisor-gone',
          'The program that supervises the training was ended before training began; resume the run.',
        );
      void tellSupervisor({ kind: 'began' });
      if (stale !== undefined) await removeStaleSocket(stale);
      const { history, ...restored } = await restoreRun(folder);
      recorder = new Recorder(folder, restored.journal, history, (event) => clients.publish(event));
      markReady();
      lifetime.begin(() => clients.keepListening(socket));
      const begunOn = recorder.engine;
      if (begunOn !== undefined) tellEngine(begunOn);
      const crashes = await readCrashes(folder);
      await forgetKilled(folder);
      announce(recorder, restored, stale, crashes, {
        run,
        file: plan.file,
        model: plan.model,
        mode: options.mode,
      });
      const context: RunContext = {
        run,
        plan,
        options,
        ...(restored.checkpoint === undefined ? {} : { resumeFrom: restored.checkpoint }),
        ...(begunOn === undefined ? {} : { begunOn }),
        avoidEngines: enginesToAvoid(crashes),
        stop: lifetime.signal,
        emit: (event) => emitForJob(event, recorder),
        progress: (progress) => clients.report(progress),
        saveCheckpoint: (checkpoint) => demand(recorder).saveCheckpoint(checkpoint),
        writeFile: (path, content) => demand(recorder).writeFile(path, content),
      };
      const last = await conclude(job, context, recorder, lifetime);
      state = 'ended';
      goesOn = last === 'goes-on';
      if (last === 'goes-on') return EXIT_ENGINE_FAILED;
      return last?.type === 'failed' ? EXIT_FAILED : 0;
    } finally {
      recorder?.end();
      await recorder?.giveBackReserve();
      // A run that goes on stays its supervisor's: the lock is left as a crash would leave it.
      // One that cannot be removed, on a disk that failed, is stale from now on.
      if (!goesOn) await releaseLock(folder, token).catch((error: unknown) => console.error(error));
    }
  } finally {
    lifetime.end();
    await clients.close(FAREWELL_MS);
    await removeSocketPath(socket);
  }
}

async function describeSelf(socket: string, token: string): Promise<LockInfo> {
  const [startTime, supervisor] = await Promise.all([readStartTime(process.pid), describeSupervisor()]);
  return {
    version: 1,
    pid: process.pid,
    startTime: startTime ?? 'unknown',
    host: hostname(),
    socket,
    token,
    ...(supervisor === undefined ? {} : { supervisor }),
  };
}

/** A backend that was killed could not remove its socket. */
async function removeStaleSocket(stale: string): Promise<void> {
  const match = /"socket":"([^"\\]+)"/.exec(stale);
  if (match?.[1] !== undefined) await removeSocketPath(match[1]);
}

/** The first events of a backend: who it is and what it found. */
function announce(
  recorder: Recorder,
  restored: Omit<RestoredRun, 'history'>,
  stale: string | undefined,
  crashes: readonly Crash[],
  about: { run: string; file: string; model: string; mode: string },
): void {
  recorder.emit({
    type: 'start',
    version: JOURNAL_VERSION,
    ...about,
    ...(restored.checkpointFile === undefined ? {} : { resumedFrom: restored.checkpointFile }),
  });
  if (stale !== undefined)
    recorder.emit({
      type: 'warning',
      code: 'stale-lock',
      message: 'The process that trained this run before ended without saying so; its lock was taken over.',
    });
  const crash = crashes.at(-1);
  // An older crash has been told of already.
  if (crash !== undefined && crash.at >= (restored.interruptedAt ?? Number.POSITIVE_INFINITY))
    recorder.emit(describeCrash(crash, crashes));
  for (const warning of restored.warnings) recorder.emit(warning);
}

function describeCrash(crash: Crash, crashes: readonly Crash[]): RunEvent {
  const avoided = enginesToAvoid(crashes);
  const why = crash.lasting === true ? '' : ', which died twice';
  const without = avoided.length === 0 ? '' : ` It goes on without ${avoided.join(', ')}${why}.`;
  const message = `The process that trained this run ${crash.how}; the run was resumed.${without}`;
  const code = crash.lasting === true ? 'engine-failed' : 'restarted-after-crash';
  return { type: 'warning', code, message };
}

function demand(recorder: Recorder | undefined): Recorder {
  if (recorder === undefined) throw new Error('The run has not begun.');
  return recorder;
}

/** Events that say where the whole run stands are the backend's to write. */
function emitForJob(event: RunEvent, recorder: Recorder | undefined): void {
  if (event.type === 'start' || event.type === 'checkpoint' || event.type === 'stopped')
    throw new Error(`The event ${event.type} is written by the backend, not by the job.`);
  demand(recorder).emit(event);
  if (event.type === 'engine') tellEngine(event.name);
}

/** A process that dies cannot say any more on which engine it did. */
function tellEngine(name: string): void {
  void tellSupervisor({ kind: 'engine', name });
}

/**
 * Runs the job and stores how it ended.
 *
 * @returns the last event, if one had to be stored; `goes-on` if the supervisor is to go on with another engine
 */
async function conclude(
  job: Job,
  context: RunContext,
  recorder: Recorder,
  lifetime: Lifetime,
): Promise<JournalEvent | 'goes-on' | undefined> {
  try {
    await recorder.reserve();
    const outcome = await Promise.race([job(context), lifetime.crashed]);
    await recorder.settle();
    if (outcome === 'stopped') return recorder.close({ type: 'stopped', message: lifetime.reason });
    if (!recorder.hasResult) throw new Error('The job says that it is done, but gave no result.');
    return undefined;
  } catch (error) {
    if (await hasAnotherEngine(error, context, recorder)) return 'goes-on';
    return recordFailure(error, recorder);
  }
}

/** Tells the supervisor of an engine that broke down. @returns whether there is a supervisor that goes on without it */
async function hasAnotherEngine(error: unknown, context: RunContext, recorder: Recorder): Promise<boolean> {
  const { engine } = recorder;
  // One that broke down although it was to be passed over was the last.
  if (!isEngineFailure(error) || engine === undefined || context.avoidEngines?.includes(engine) === true)
    return false;
  console.error(error);
  await recorder.settle();
  return tellSupervisor({ kind: 'engine-failed', why: error.message });
}

async function recordFailure(error: unknown, recorder: Recorder): Promise<JournalEvent | undefined> {
  // Standard error is backend.log of the run's folder.
  console.error(error);
  const failure: RunEvent =
    error instanceof ShrinkError
      ? { type: 'failed', kind: error.kind, code: error.code, message: error.message }
      : {
          type: 'failed',
          kind: 'training',
          code: 'internal',
          message: `Training broke off: ${messageOf(error).split('\n')[0] ?? ''} (backend.log in the run's folder says where).`,
        };
  await recorder.giveBackReserve();
  return recorder.close(failure);
}
