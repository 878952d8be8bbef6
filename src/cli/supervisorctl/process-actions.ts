import {
  isStoppedState,
  type ProcessFault,
  type ProcessRequest,
  type ProcessResult,
  type SupervisedProcess,
} from "../../core/process-api.ts";
import { ControlAccessError, EngineNotRunningError } from "../errors.ts";
import { resultLine, statusLines } from "./describe.ts";
import { exitStatus, exitStatusOfFault, statusExit } from "./exit-status.ts";
import { parseName } from "./names.ts";
import type { Session } from "./session.ts";

type Words = readonly string[];

/** `status [NAME…]`. Works without the engine too, for those who may read its run directory. */
export async function status(session: Session, words: Words): Promise<void> {
  let all: readonly SupervisedProcess[];
  try {
    all = await session.client.processes();
  } catch (error) {
    const apps = error instanceof EngineNotRunningError ? await knownWithoutEngine(session) : undefined;
    if (apps === undefined) {
      await session.explain(error);
      session.exitStatus = statusExit.unknown;
      return;
    }
    session.terminal.note(`supervisorctl: ${(error as Error).message}; what its run directory tells:`);
    all = apps;
  }
  const shown: SupervisedProcess[] = [];
  for (const word of words.includes("all") ? [] : words) {
    const { group, process } = parseName(word);
    const matching = all.filter((one) => one.group === group && (process ?? one.name) === one.name);
    shown.push(...matching);
    if (matching.length > 0) continue;
    const what =
      process === undefined ? `${group}: ERROR (no such group)` : `${word}: ERROR (no such process)`;
    await session.fail(what, statusExit.unknown);
  }
  const processes = words.length === 0 || words.includes("all") ? all : shown;
  for (const line of statusLines(processes, Date.now())) await session.print(line);
  if (processes.some(({ state }) => isStoppedState(state))) session.exitStatus = statusExit.notRunning;
}

async function knownWithoutEngine(session: Session): Promise<readonly SupervisedProcess[] | undefined> {
  try {
    return await session.withoutEngine();
  } catch (error) {
    if (error instanceof ControlAccessError) return undefined;
    throw error;
  }
}

/** `pid [NAME…|all]` */
export async function pid(session: Session, words: Words): Promise<void> {
  const all = await session.client.processes();
  if (words.length === 0) return session.print(String(all.find(({ group }) => group === "gwe")?.pid ?? 0));
  if (words.includes("all")) {
    for (const process of all) await session.print(String(process.pid ?? 0));
    return;
  }
  for (const word of words) {
    const name = parseName(word);
    const process = all.find((one) => one.group === name.group && one.name === name.process);
    if (process === undefined) await session.fail(`No such process ${word}`);
    else {
      await session.print(String(process.pid ?? 0));
      if (process.pid === undefined) session.exitStatus = exitStatus.notRunning;
    }
  }
}

export async function start(session: Session, words: Words): Promise<void> {
  if (words.length === 0) {
    const complaint = "Error: start requires a process name";
    return session.refuse("start", complaint, exitStatus.invalidArguments);
  }
  await each(session, words, {
    call: (request) => session.client.changeProcesses("start", request),
    done: "started",
    ignored: "ALREADY_STARTED",
    noSuchGroup: exitStatus.invalidArguments,
  });
}

export async function stop(session: Session, words: Words): Promise<void> {
  if (words.length === 0) return session.refuse("stop", "Error: stop requires a process name");
  await each(session, words, {
    call: (request) => session.client.changeProcesses("stop", request),
    done: "stopped",
    ignored: "NOT_RUNNING",
  });
}

export async function restart(session: Session, words: Words): Promise<void> {
  if (words.length === 0) return session.refuse("restart", "Error: restart requires a process name");
  await stop(session, words);
  await start(session, words);
}

export async function signal(session: Session, [name = "", ...words]: Words): Promise<void> {
  if (words.length === 0) {
    return session.refuse("signal", "Error: signal requires a signal name and a process name");
  }
  await each(session, words, {
    call: (request) => session.client.changeProcesses("signal", { ...request, signal: name }),
    done: "signalled",
  });
}

export async function clear(session: Session, words: Words): Promise<void> {
  if (words.length === 0) return session.refuse("clear", "Error: clear requires a process name");
  await each(session, words, {
    call: (request) => session.client.changeProcesses("clear", request),
    done: "cleared",
  });
}

interface Change {
  readonly call: (request: ProcessRequest) => Promise<readonly ProcessResult[]>;
  /** The word for what was done. */
  readonly done: string;
  /** A fault that is no failure: what was wanted is so already. */
  readonly ignored?: ProcessFault;
  readonly noSuchGroup?: number;
}

async function each(session: Session, words: Words, change: Change): Promise<void> {
  const requests = words.includes("all") ? [{}] : words.map(parseName);
  for (const request of requests) {
    for (const result of await change.call(request)) {
      await session.print(resultLine(result, change.done));
      const failed = exitStatusOfFault(result.fault, change.ignored);
      const isGroup = result.fault === "BAD_NAME" && result.name === "*";
      session.exitStatus = (isGroup ? change.noSuchGroup : undefined) ?? failed ?? session.exitStatus;
    }
  }
}
