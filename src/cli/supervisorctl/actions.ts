import { describeError } from "../../core/errors.ts";
import { printable } from "../terminal.ts";
import * as config from "./config-actions.ts";
import { helpFor, helpOverview } from "./help.ts";
import * as logs from "./log-actions.ts";
import * as processes from "./process-actions.ts";
import type { Session } from "./session.ts";

type Action = (session: Session, words: readonly string[]) => Promise<void>;

const actions: ReadonlyMap<string, Action> = new Map<string, Action>([
  ["add", config.add],
  ["avail", config.avail],
  ["clear", processes.clear],
  ["fg", unavailable("applications have no standard input here; 'tail -f' shows their output")],
  ["help", help],
  ["maintail", logs.maintail],
  ["open", unavailable("there is one engine, and its socket is known; GWE_HOME names another")],
  ["pid", processes.pid],
  ["reload", config.reload],
  ["remove", config.remove],
  ["reread", config.reread],
  ["restart", processes.restart],
  ["shutdown", config.shutdown],
  ["signal", processes.signal],
  ["start", processes.start],
  ["status", processes.status],
  ["stop", processes.stop],
  ["tail", logs.tail],
  ["update", config.update],
  ["version", version],
]);

/** Runs one line, as typed in the shell or given as arguments. @returns whether the shell is to go on */
export async function runLine(session: Session, line: string): Promise<boolean> {
  const text = line.trim();
  if (text === "") return true;
  const [, name = "", rest = ""] = /^(\?|\w*)(.*)$/s.exec(text) ?? [];
  if (name === "quit" || name === "exit" || name === "EOF") {
    await session.print("");
    return false;
  }
  const action = actions.get(name === "?" ? "help" : name);
  if (action === undefined) {
    await session.fail(`*** Unknown syntax: ${printable(text)}`);
    return true;
  }
  try {
    await action(session, rest.split(/\s+/).filter(Boolean));
  } catch (error) {
    await explain(session, error);
  }
  return true;
}

async function explain(session: Session, error: unknown): Promise<void> {
  try {
    await session.explain(error);
  } catch (other) {
    // In the shell the next line may go better.
    await session.fail(`error: ${printable(describeError(other))}`);
  }
}

async function help(session: Session, [topic, ...more]: readonly string[]): Promise<void> {
  if (topic === undefined) return session.print(helpOverview());
  if (topic === "help") return session.print("help [ACTION]\tList the actions, or explain one.");
  const name = [topic, ...more].join(" ");
  return session.print(helpFor(name) ?? `*** No help on ${printable(name)}`);
}

async function version(session: Session, words: readonly string[]): Promise<void> {
  if (words.length > 0) return session.refuse("version", "Error: version accepts no arguments");
  // The engine's, not this command's: it tells whether the engine answers, too.
  await session.print((await session.client.status()).engine.version);
}

function unavailable(why: string): Action {
  return (session) => session.fail(`ERROR: not available: ${why}`);
}
