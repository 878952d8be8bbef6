import type { IncomingMessage } from "node:http";
import type {
  Activator,
  AppendRequest,
  Caller,
  IdentityStore,
  QueueIntake,
  ReadThrough,
  Reread,
  Series,
} from "../types.ts";
import type { BodyReader } from "./body.ts";
import { type Callers, checkVms } from "./caller.ts";
import { decodePiece, encodeForm, parseNames, scanForm } from "./form.ts";
import { productOf } from "./guard.ts";
import { RequestProblem } from "./problem.ts";
import { parseAliasRecord, parseRecord, parseWrite } from "./requests.ts";

export interface Answer {
  readonly status: number;
  readonly type?: string;
  readonly body?: string;
}

export interface RouteDependencies {
  readonly intake: QueueIntake;
  readonly identities: IdentityStore;
  readonly activator: Activator;
  readonly readThrough: ReadThrough;
  readonly reread: Reread;
  readonly bodies: BodyReader;
  readonly callers: Callers;
  readonly now: () => number;
  /** `/healthz` and `/metrics`. */
  readonly isHealthy: () => boolean;
  readonly metrics: () => string | Promise<string>;
}

/** Where the answer to one request goes; once. */
export interface Reply {
  send(answer: Answer): void;
  fail(error: unknown): void;
}

type Handler = (parts: RouteDependencies, request: IncomingMessage, reply: Reply, query: string) => void;

const aliasPath = "/onep:v1/stack/alias";
/** As libraries write the paths that escape whatever may be escaped. */
const escapedColon = /^\/onep%3av1\//i;
const formType = "application/x-www-form-urlencoded; charset=utf-8";
const done: Answer = { status: 204 };
/** How long an app waits for an activation before it is told that there is no CIK yet. */
const activationTimeoutMs = 20_000;

const routes: Readonly<Record<string, Readonly<Record<string, Handler>>>> = {
  [aliasPath]: { POST: write, GET: read },
  "/onep:v1/stack/record": { POST: record },
  "/provision/activate": { POST: activate },
  "/reread": { POST: rereadConfiguration },
  "/healthz": { GET: health, HEAD: health },
  "/metrics": { GET: metrics, HEAD: metrics },
};

/**
 * Serves one request (spec: gmq.md).
 * @throws RequestProblem, QueueFullError, QueueUnavailableError, here or by `reply.fail`
 */
export function serve(parts: RouteDependencies, request: IncomingMessage, reply: Reply): void {
  const url = request.url ?? "/";
  const mark = url.indexOf("?");
  const path = mark < 0 ? url : url.slice(0, mark);
  const query = mark < 0 ? "" : url.slice(mark + 1);
  const methods = Object.hasOwn(routes, path) ? routes[path] : undefined;
  if (methods === undefined) {
    const usual = path.replace(escapedColon, "/onep:v1/");
    if (usual !== path) {
      request.url = usual + url.slice(path.length);
      serve(parts, request, reply);
      return;
    }
    if (!path.startsWith(`${aliasPath}/`)) throw new RequestProblem(404, "no such endpoint");
    recordAlias(parts, request, reply, path);
    return;
  }
  const handler = methods[request.method ?? ""];
  if (handler === undefined) throw wrongMethod(Object.keys(methods));
  handler(parts, request, reply, query);
}

function wrongMethod(allowed: readonly string[]): RequestProblem {
  return new RequestProblem(405, `expected ${allowed.join(" or ")}`, { Allow: allowed.join(", ") });
}

function write(parts: RouteDependencies, request: IncomingMessage, reply: Reply, query: string): void {
  const caller = parts.callers.of(request.headers);
  const parse = (body: Buffer): AppendRequest => ({
    caller,
    lane: "live",
    stampedBy: "queue",
    series: parseWrite(body, parts.now()),
  });
  if (query === "") {
    append(parts, request, reply, parse, reply);
    return;
  }
  const aliases = parseAliases(query);
  append(parts, request, reply, parse, { send: () => promised(reply, readBack(parts, caller, aliases)) });
}

/** The hybrid form: what is written is safe by now, and an error would have the app write it again. */
async function readBack(
  parts: RouteDependencies,
  caller: Caller,
  aliases: readonly string[],
): Promise<Answer> {
  const answer = await readAliases(parts, caller, aliases);
  return answer.status === 200 ? answer : done;
}

function record(parts: RouteDependencies, request: IncomingMessage, reply: Reply): void {
  const caller = parts.callers.of(request.headers);
  append(parts, request, reply, (body) => recorded(caller, parseRecord(body)), reply);
}

function recordAlias(parts: RouteDependencies, request: IncomingMessage, reply: Reply, path: string): void {
  if (request.method !== "POST") throw wrongMethod(["POST"]);
  const caller = parts.callers.of(request.headers);
  const alias = decodePiece(path.slice(aliasPath.length + 1).replaceAll("+", "%2B"));
  append(parts, request, reply, (body) => recorded(caller, parseAliasRecord(alias, body)), reply);
}

function recorded(caller: Caller, series: readonly Series[]): AppendRequest {
  return { caller, lane: "backlog", stampedBy: "app", series };
}

/** @param stored what to do once the request is safe */
function append(
  { bodies, intake }: RouteDependencies,
  request: IncomingMessage,
  reply: Reply,
  parse: (body: Buffer) => AppendRequest,
  stored: Pick<Reply, "send">,
): void {
  const fail = (error: unknown): void => reply.fail(error);
  bodies.read(
    request,
    (body) => {
      try {
        intake.append(parse(body)).then(() => stored.send(done), fail);
      } catch (error) {
        fail(error);
      }
    },
    fail,
  );
}

function promised(reply: Reply, answer: Promise<Answer>): void {
  answer.then(
    (given) => reply.send(given),
    (error: unknown) => reply.fail(error),
  );
}

function read(parts: RouteDependencies, request: IncomingMessage, reply: Reply, query: string): void {
  promised(reply, readAliases(parts, parts.callers.of(request.headers), parseAliases(query)));
}

function parseAliases(query: string): readonly string[] {
  const aliases = parseNames(query);
  if (aliases.length === 0) throw new RequestProblem(400, "expected ?<alias>[&<alias>…]");
  return aliases;
}

async function readAliases(
  parts: RouteDependencies,
  caller: Caller,
  aliases: readonly string[],
): Promise<Answer> {
  const answer = await parts.readThrough.read(caller, aliases);
  if (answer === undefined) return { status: 503, body: "Murano cannot be reached\n" };
  const { status, values } = answer;
  return status === 200 ? { status, type: formType, body: encodeForm(values) } : { status };
}

function activate(parts: RouteDependencies, request: IncomingMessage, reply: Reply): void {
  const use = (body: Buffer): void => promised(reply, activated(parts, request.headers.host, body));
  parts.bodies.read(request, use, (error) => reply.fail(error));
}

async function activated(
  { identities, activator }: RouteDependencies,
  host: string | undefined,
  body: Buffer,
): Promise<Answer> {
  const form = new Map<string, string>();
  scanForm(body, (key, value) => form.set(key, value));
  const id = form.get("id");
  const product = id === undefined ? undefined : productOf(host);
  const vms = checkVms(form.get("vendor") ?? product, form.get("model") ?? product, form.get("sn") ?? id);
  if (vms === undefined) {
    throw new RequestProblem(400, "expected vendor=<vendor>&model=<model>&sn=<serial>, in ASCII");
  }
  await identities.register({ kind: "vms", ...vms });
  const cik = await activator.activate(vms, activationTimeoutMs);
  return cik === undefined ? done : { status: 200, type: "text/plain", body: cik };
}

function rereadConfiguration({ reread }: RouteDependencies, _request: IncomingMessage, reply: Reply): void {
  promised(
    reply,
    reread().then(() => ({ status: 200, body: "read again\n" })),
  );
}

function health({ isHealthy }: RouteDependencies, _request: IncomingMessage, reply: Reply): void {
  const type = "application/json";
  reply.send(
    isHealthy()
      ? { status: 200, type, body: '{"status":"ok"}\n' }
      : { status: 503, type, body: '{"status":"the queue cannot write to its disk"}\n' },
  );
}

function metrics(parts: RouteDependencies, _request: IncomingMessage, reply: Reply): void {
  promised(reply, metricsAnswer(parts));
}

async function metricsAnswer(parts: RouteDependencies): Promise<Answer> {
  return { status: 200, type: "text/plain; version=0.0.4; charset=utf-8", body: await parts.metrics() };
}
