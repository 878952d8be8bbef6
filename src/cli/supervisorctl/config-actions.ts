import { ControlRefusedError } from "../errors.ts";
import { availLine } from "./describe.ts";
import type { Session } from "./session.ts";

type Words = readonly string[];

export async function avail(session: Session, words: Words): Promise<void> {
  if (words.length > 0) return session.refuse("avail", "Error: avail accepts no arguments");
  for (const process of await session.client.processes()) await session.print(availLine(process));
}

export async function reread(session: Session, words: Words): Promise<void> {
  if (words.length > 0) return session.refuse("reread", "Error: reread accepts no arguments");
  try {
    const { changed } = await session.client.groups("reread");
    if (changed.length === 0) return await session.print("No config updates to processes");
    for (const name of changed.toSorted()) await session.print(`${name}: changed`);
  } catch (error) {
    if (!isConfError(error)) throw error;
    await session.fail(`ERROR: CANT_REREAD: ${error.message}`);
  }
}

export async function update(session: Session, words: Words): Promise<void> {
  const named = words.includes("all") ? [] : [...new Set(words)];
  const known = new Set((await session.client.processes()).map(({ group }) => group));
  for (const name of named) {
    if (!known.has(name)) await session.fail(`ERROR: no such group: ${name}`);
  }
  if (named.length > 0 && !named.some((name) => known.has(name))) return;
  try {
    const { changed } = await session.client.groups("update", named);
    for (const name of changed) {
      await session.print(`${name}: stopped`);
      await session.print(`${name}: updated process group`);
    }
  } catch (error) {
    if (!isConfError(error)) throw error;
    await session.fail(`ERROR: CANT_REREAD: ${error.message}`);
  }
}

/** An application is active from its installation on. */
export async function add(session: Session, words: Words): Promise<void> {
  await ofGroups(session, words, async () => session.print("ERROR: process group already active"));
}

export async function remove(session: Session, words: Words): Promise<void> {
  await ofGroups(session, words, (name) =>
    session.fail(`ERROR: ${name} is an installed application: 'gwe remove ${name}' removes it`),
  );
}

export async function reload(session: Session, words: Words): Promise<void> {
  if (words.length > 0) return session.refuse("reload", "Error: reload accepts no arguments");
  await session.client.groups("reload");
  await session.print("Restarted supervisord");
}

/** Over the air nobody could start it again. */
export async function shutdown(session: Session, words: Words): Promise<void> {
  if (words.length > 0) return session.refuse("shutdown", "Error: shutdown accepts no arguments");
  await session.fail("ERROR: the engine is stopped by its service manager: systemctl stop gateway-engine");
}

async function ofGroups(session: Session, words: Words, act: (name: string) => Promise<void>): Promise<void> {
  const known = new Set((await session.client.processes()).map(({ group }) => group));
  for (const name of words) {
    if (known.has(name)) await act(name);
    else await session.fail(`ERROR: no such process/group: ${name}`);
  }
}

function isConfError(error: unknown): error is ControlRefusedError {
  return error instanceof ControlRefusedError && error.engineCode === "SUPERVISOR_CONF";
}
