import { dirname } from "node:path";
import { changesOf } from "../directory-changes.ts";
import { followLog, showEnd } from "../log-tail.ts";
import { parseName } from "./names.ts";
import type { Session } from "./session.ts";

type Words = readonly string[];

/** What supervisorctl shows of a log when it isn't told how much. */
const usualBytes = 1600;
const followedBytes = 1024;

/** `tail [-f|-BYTES] NAME [stdout|stderr]` */
export async function tail(session: Session, words: Words): Promise<void> {
  if (words.length < 1) return session.refuse("tail", "Error: too few arguments");
  if (words.length > 3) return session.refuse("tail", "Error: too many arguments");
  const modifier = words[0]?.startsWith("-") ? words[0] : undefined;
  const [name, ...rest] = modifier === undefined ? words : words.slice(1);
  if (name === undefined) return session.fail("Error: tail requires process name");
  const channel = rest.at(-1)?.toLowerCase() ?? "stdout";
  if (channel !== "stdout" && channel !== "stderr") {
    return session.fail(`Error: bad channel '${channel}'`);
  }
  const amount = readAmount(modifier);
  if (amount === undefined) return session.fail(`Error: bad argument ${modifier}`);
  const { group, process: wanted } = parseName(name);
  const process = (await session.client.processes()).find(
    (one) => one.group === group && one.name === wanted,
  );
  if (process === undefined && amount === "follow") {
    await session.print("==> Press Ctrl-C to exit <==");
    session.terminal.note(`supervisorctl: ${name}: no such process name`);
    return;
  }
  if (process === undefined) return session.fail(`${name}: ERROR (no such process name)`);
  await show(session, name, channel === "stdout" ? process.stdoutLog : process.stderrLog, amount);
}

/** `maintail [-f|-BYTES]`: the engine's own log. */
export async function maintail(session: Session, words: Words): Promise<void> {
  if (words.length > 1) return session.refuse("maintail", "Error: too many arguments");
  const [modifier] = words;
  const amount = modifier?.startsWith("-") === false ? undefined : readAmount(modifier);
  if (amount === undefined) return session.fail(`Error: bad argument ${modifier}`);
  const engine = (await session.client.processes()).find(({ group }) => group === "gwe");
  await show(session, "supervisord", engine?.stdoutLog, amount);
}

/** @returns undefined for what is neither `-f` nor a number of bytes */
function readAmount(modifier: string | undefined): number | "follow" | undefined {
  if (modifier === undefined) return usualBytes;
  if (modifier === "-f") return "follow";
  return /^-\d{1,12}$/.test(modifier) ? Number(modifier.slice(1)) : undefined;
}

async function show(
  session: Session,
  name: string,
  file: string | undefined,
  amount: number | "follow",
): Promise<void> {
  const write = (data: Uint8Array): Promise<void> => session.terminal.write(data);
  if (amount === "follow") {
    await session.print("==> Press Ctrl-C to exit <==");
    // What has no log, like a stream that is dropped, will never have anything to show.
    if (file === undefined) return session.terminal.note(`supervisorctl: ${name}: no log file`);
    return followLog({
      file,
      begin: { bytes: followedBytes },
      write,
      wait: changesOf(dirname(file)),
      onGap: () =>
        session.terminal.note("supervisorctl: lines may have been dropped before they could be shown"),
    });
  }
  // Asked for none, supervisord gives all.
  const bytes = amount === 0 ? Number.POSITIVE_INFINITY : amount;
  if (file === undefined || !(await showEnd(file, bytes, write))) {
    return session.fail(`${name}: ERROR (no log file)`);
  }
  await session.print("");
}
