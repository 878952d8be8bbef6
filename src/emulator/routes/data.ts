import { HttpProblem } from "../errors.ts";
import type { Call } from "../http/call.ts";
import { encodeForm, type FormPair, parseForm } from "../http/form.ts";
import { formType, noContent, type Reply } from "../http/reply.ts";
import type { Route } from "../http/router.ts";
import { maxValueBytes } from "../limits.ts";
import { longPoll, maxLongPollMs } from "../long-poll/long-poll.ts";
import type { Reading, Write } from "../store/store.ts";
import type { Client } from "../store/types.ts";
import { findDevice, requireDevice } from "./access.ts";
import type { RouteParts } from "./parts.ts";

const path = "/onep:v1/stack/alias";

/** Write, read, hybrid write/read, long poll (spec: device-api.md, "Data procedures"). */
export function dataRoutes(parts: RouteParts): readonly Route[] {
  return [
    {
      method: "POST",
      path,
      procedure: (call) => (call.queryText === "" ? "write" : "write-read"),
      handle: (call) => writeRead(parts, call),
    },
    {
      method: "GET",
      path,
      procedure: (call) => (call.headers["request-timeout"] === undefined ? "read" : "long-poll"),
      handle: (call) => read(parts, call),
    },
  ];
}

async function writeRead(parts: RouteParts, call: Call): Promise<Reply> {
  const client = await requireDevice(parts, call);
  checkFormType(call);
  const writes = parseWrites(parseForm(call.body));
  const reads = readAliases(call);
  if (writes.length === 0 && reads.length === 0) throw new HttpProblem(400, "no alias to write or read");
  const aliases = writes.map(({ alias }) => alias);
  call.notes.wrote = aliases;
  const readings = await parts.store.dataports.writeRead(client.id, writes, reads, parts.clock.nowS());
  parts.hub.changed(client.id, aliases);
  return answer(readings);
}

async function read(parts: RouteParts, call: Call): Promise<Reply> {
  const client = await requireDevice(parts, call);
  const aliases = readAliases(call);
  if (aliases.length === 0) throw new HttpProblem(400, "no alias to read");
  if (call.headers["request-timeout"] !== undefined) return poll(parts, call, client, aliases);
  return answer(await parts.store.dataports.read(client.id, aliases));
}

async function poll(
  parts: RouteParts,
  call: Call,
  client: Client,
  aliases: readonly string[],
): Promise<Reply> {
  const [alias, ...others] = aliases;
  if (alias === undefined || others.length > 0) throw new HttpProblem(400, "a long poll reads one alias");
  const timeoutMs = Number(call.header("request-timeout"));
  if (!Number.isInteger(timeoutMs) || timeoutMs < 0) {
    throw new HttpProblem(400, "Request-Timeout must be milliseconds");
  }
  const since = modifiedSince(call);
  const endPolling = parts.presence.polling(client.id);
  const result = await longPoll(parts, {
    client,
    alias,
    timeoutMs: Math.min(timeoutMs, maxLongPollMs),
    since,
    stillValid: async () => (await findDevice(parts, call))?.id === client.id,
    onGone: call.onGone,
  }).finally(() => endPolling(parts.clock.nowS()));
  if (result === "invalid") throw new HttpProblem(401, "the CIK is no longer valid");
  if (result === "nothing-new") return { status: 304 };
  return {
    status: 200,
    headers: { "Content-Type": formType, "Last-Modified": new Date(result.ts * 1000).toUTCString() },
    body: encodeForm([[alias, result.value]]),
  };
}

/** Unix seconds of If-Modified-Since, which is a number or an HTTP-date. @throws HttpProblem 400 */
function modifiedSince(call: Call): number | undefined {
  const header = call.header("if-modified-since")?.trim();
  if (header === undefined || header === "") return undefined;
  const seconds = /^-?\d+(\.\d+)?$/.test(header) ? Number(header) : Date.parse(header) / 1000;
  if (Number.isNaN(seconds)) {
    throw new HttpProblem(400, "If-Modified-Since must be unix seconds or an HTTP-date");
  }
  return Math.floor(seconds);
}

function answer(readings: readonly Reading[]): Reply {
  if (readings.length === 0) return noContent;
  return {
    status: 200,
    headers: { "Content-Type": formType },
    body: encodeForm(readings.map(({ alias, value }) => [alias, value])),
  };
}

/** @throws HttpProblem 415 */
export function checkFormType(call: Call): void {
  if (!call.hasType("application/x-www-form-urlencoded", true)) {
    throw new HttpProblem(415, "expected application/x-www-form-urlencoded");
  }
}

/** All values of one request get one timestamp, so of two for one alias the last counts. */
function parseWrites(pairs: readonly FormPair[]): Write[] {
  const writes = new Map<string, Write>();
  for (const { key: alias, value } of pairs) {
    if (alias === "") throw new HttpProblem(400, "an alias is empty");
    if (value === undefined) throw new HttpProblem(400, "an alias has no value");
    checkSize(value);
    writes.set(alias, { alias, value });
  }
  return [...writes.values()];
}

/** @throws HttpProblem 413 */
export function checkSize(value: Buffer): void {
  if (value.length > maxValueBytes) {
    throw new HttpProblem(413, `a dataport value holds at most ${maxValueBytes} bytes`);
  }
}

function readAliases(call: Call): string[] {
  if (call.queryText === "") return [];
  const aliases = parseForm(Buffer.from(call.queryText)).map(({ key }) => key);
  return [...new Set(aliases.filter((alias) => alias !== ""))];
}
