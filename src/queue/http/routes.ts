import type { IncomingMessage } from "node:http";
import type {
  Activator,
  AppendRequest,
  Caller,
  IdentityStore,
  QueueIntake,
  ReadThrough,
  Reread,
} from "../types.ts";
import type { BodyReader } from "./body.ts";
import { callerOf, checkVms } from "./caller.ts";
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
  readonly now: () => number;
  /** `/healthz` and `/metrics`. */
  readonly isHealthy: () => boolean;
  readonly metrics: () => string | Promise<string>;
}

type Handler = (
  parts: RouteDependencies,
  request: IncomingMessage,
  query: string,
) => Promise<Answer> | Answer;

const aliasPath = "/onep:v1/stack/alias";
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
  "/metrics": { GET: metrics },
};

/** Serves one request (spec: gmq.md). @throws RequestProblem, QueueFullError, QueueUnavailableError */
export function serve(parts: RouteDependencies, request: IncomingMessage): Promise<Answer> | Answer {
  const url = request.url ?? "/";
  const mark = url.indexOf("?");
  const path = mark < 0 ? url : url.slice(0, mark);
  const query = mark < 0 ? "" : url.slice(mark + 1);
  const methods = Object.hasOwn(routes, path) ? routes[path] : undefined;
  if (methods === undefined) {
    if (path.startsWith(`${aliasPath}/`)) return recordAlias(parts, request, path);
    throw new RequestProblem(404, "no such endpoint");
  }
  const handler = methods[request.method ?? ""];
  if (handler === undefined) throw wrongMethod(Object.keys(methods));
  return handler(parts, request, query);
}

function wrongMethod(allowed: readonly string[]): RequestProblem {
  return new RequestProblem(405, `expected ${allowed.join(" or ")}`, { Allow: allowed.join(", ") });
}

async function write(parts: RouteDependencies, request: IncomingMessage, query: string): Promise<Answer> {
  const caller = callerOf(request.headers);
  const body = await parts.bodies.read(request);
  const series = parseWrite(body, parts.now());
  await append(parts, { caller, lane: "live", stampedBy: "queue", series });
  if (query === "") return done;
  // The hybrid form: what is written is safe by now, so being offline is no error.
  const answer = await readAliases(parts, caller, query);
  return answer.status === 503 ? done : answer;
}

async function record(parts: RouteDependencies, request: IncomingMessage): Promise<Answer> {
  const caller = callerOf(request.headers);
  const series = parseRecord(await parts.bodies.read(request));
  await append(parts, { caller, lane: "backlog", stampedBy: "app", series });
  return done;
}

async function recordAlias(
  parts: RouteDependencies,
  request: IncomingMessage,
  path: string,
): Promise<Answer> {
  if (request.method !== "POST") throw wrongMethod(["POST"]);
  const caller = callerOf(request.headers);
  const alias = decodePiece(path.slice(aliasPath.length + 1).replaceAll("+", "%2B"));
  const series = parseAliasRecord(alias, await parts.bodies.read(request));
  await append(parts, { caller, lane: "backlog", stampedBy: "app", series });
  return done;
}

function append({ intake }: RouteDependencies, request: AppendRequest): Promise<void> {
  return intake.append(request);
}

async function read(parts: RouteDependencies, request: IncomingMessage, query: string): Promise<Answer> {
  return readAliases(parts, callerOf(request.headers), query);
}

async function readAliases(parts: RouteDependencies, caller: Caller, query: string): Promise<Answer> {
  const aliases = parseNames(query);
  if (aliases.length === 0) throw new RequestProblem(400, "expected ?<alias>[&<alias>…]");
  const answer = await parts.readThrough.read(caller, aliases);
  if (answer === undefined) return { status: 503, body: "Murano cannot be reached\n" };
  const { status, values } = answer;
  return status === 200 ? { status, type: formType, body: encodeForm(values) } : { status };
}

async function activate(parts: RouteDependencies, request: IncomingMessage): Promise<Answer> {
  const form = new Map<string, string>();
  scanForm(await parts.bodies.read(request), (key, value) => form.set(key, value));
  const id = form.get("id");
  const product = id === undefined ? undefined : productOf(request.headers.host);
  const vms = checkVms(form.get("vendor") ?? product, form.get("model") ?? product, form.get("sn") ?? id);
  if (vms === undefined) {
    throw new RequestProblem(400, "expected vendor=<vendor>&model=<model>&sn=<serial>, in ASCII");
  }
  await parts.identities.register({ kind: "vms", ...vms });
  const cik = await parts.activator.activate(vms, activationTimeoutMs);
  return cik === undefined ? done : { status: 200, type: "text/plain", body: cik };
}

async function rereadConfiguration({ reread }: RouteDependencies): Promise<Answer> {
  await reread();
  return { status: 200, body: "read again\n" };
}

function health({ isHealthy }: RouteDependencies): Answer {
  const type = "application/json";
  return isHealthy()
    ? { status: 200, type, body: '{"status":"ok"}\n' }
    : { status: 503, type, body: '{"status":"the queue cannot write to its disk"}\n' };
}

async function metrics(parts: RouteDependencies): Promise<Answer> {
  return { status: 200, type: "text/plain; version=0.0.4; charset=utf-8", body: await parts.metrics() };
}
