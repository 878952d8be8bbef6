import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { HttpProblem } from "../errors.ts";
import type { Call } from "../http/call.ts";
import { requireOwner } from "../routes/access.ts";
import type { RouteParts } from "../routes/parts.ts";
import type { Session } from "../store/operators.ts";
import type { Owner } from "../store/types.ts";

const cookieName = "gwe_console";

/** Without a request for so long, a session is over. */
const sessionS = 12 * 3600;

/** A session that is used is extended in steps: a write to disk per request would be too many. */
const extendEveryS = 15 * 60;

const safeMethods = new Set(["GET", "HEAD"]);

/**
 * Who gives the order: a program by its token (or the owner's CIK), a browser by its session. A browser sends cookies
 * along whoever made it send the request, so what changes something must also carry the session's CSRF token.
 *
 * @throws HttpProblem 401, 403
 */
export async function requireOperator(parts: RouteParts, call: Call): Promise<Owner> {
  if (call.header("x-exosite-token") !== undefined || call.header("x-exosite-cik") !== undefined) {
    return requireOwner(parts, call);
  }
  const session = await requireSession(parts, call);
  if (!safeMethods.has(call.method)) checkCsrf(call, session);
  return session.owner;
}

/** @throws HttpProblem 401 */
export async function requireSession(parts: RouteParts, call: Call): Promise<Session> {
  const session = await findSession(parts, call);
  if (!session) throw new HttpProblem(401, "sign in first");
  return session;
}

/** The session of a request, which lasts longer by it; undefined: there is none. */
export async function findSession(parts: RouteParts, call: Call): Promise<Session | undefined> {
  const id = sessionId(call);
  if (id === undefined) return undefined;
  const now = parts.clock.nowS();
  const session = await parts.store.sessions.find(hashOf(id), now);
  if (session && session.expiresAt - now < sessionS - extendEveryS) {
    await parts.store.sessions.extend(hashOf(id), now + sessionS);
  }
  return session;
}

/** @throws HttpProblem 403 */
export function checkCsrf(call: Call, session: Session): void {
  const given = Buffer.from(call.header("x-csrf-token") ?? "");
  const wanted = Buffer.from(session.csrf);
  if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) {
    throw new HttpProblem(403, "X-CSRF-Token is missing or not this session's");
  }
}

/** Opens a session; resolves to it and to the cookie that carries it. */
export async function openSession(
  parts: RouteParts,
  call: Call,
  { owner, token }: { readonly owner: Owner; readonly token: string },
): Promise<{ readonly session: Session; readonly cookie: string }> {
  const now = parts.clock.nowS();
  const id = randomBytes(32).toString("base64url");
  const session: Session = { owner, csrf: randomBytes(32).toString("base64url"), expiresAt: now + sessionS };
  await parts.store.sessions.add({ hash: hashOf(id), token, now, ...session });
  return { session, cookie: cookie(call, id, sessionS) };
}

/** Ends the session of this request, if it has one; resolves to the cookie that takes it from the browser. */
export async function endSession(parts: RouteParts, call: Call): Promise<string> {
  const id = sessionId(call);
  if (id !== undefined) await parts.store.sessions.remove(hashOf(id));
  return cookie(call, "", 0);
}

function sessionId(call: Call): string | undefined {
  for (const part of (call.header("cookie") ?? "").split(";")) {
    const [name, value] = part.trim().split("=", 2);
    if (name === cookieName && value) return value;
  }
  return undefined;
}

/** `Secure` where a proxy in front says that the browser came by TLS: the emulator itself speaks plain HTTP. */
function cookie(call: Call, value: string, maxAgeS: number): string {
  const secure = call.header("x-forwarded-proto") === "https" ? "; Secure" : "";
  return `${cookieName}=${value}; Path=/console; Max-Age=${maxAgeS}; HttpOnly; SameSite=Strict${secure}`;
}

/** Ids are as good as passwords: the database holds what they cannot be made from. */
function hashOf(id: string): string {
  return createHash("sha256").update(id).digest("hex");
}
