import * as z from "zod/mini";
import { HttpProblem } from "../errors.ts";
import { json, noContent } from "../http/reply.ts";
import type { Route } from "../http/router.ts";
import { connectionOf } from "../routes/access.ts";
import type { RouteParts } from "../routes/parts.ts";
import type { Session } from "../store/operators.ts";
import { checkCsrf, endSession, findSession, openSession, requireSession } from "./access.ts";
import { apiRoute, parseBody } from "./api-route.ts";
import { SignInLimit } from "./sign-in-limit.ts";

const credentials = z.strictObject({ token: z.string() });

/** Sign-in and sign-out (docs/console.md, "Signing in"). */
export function sessionRoutes(parts: RouteParts): readonly Route[] {
  const limit = new SignInLimit();
  return [
    apiRoute("POST", "session", async (call) => {
      const address = connectionOf(call);
      const now = parts.clock.nowS();
      const waitS = limit.waitS(address, now);
      if (waitS > 0) {
        throw new HttpProblem(429, "too many failed sign-ins", { "Retry-After": String(waitS) });
      }
      // JSON only: a form of another site cannot send it without asking first.
      if (!call.hasType("application/json")) throw new HttpProblem(415, "expected application/json");
      const token = parseBody(credentials, call).token.trim();
      const owner = await parts.store.owners.byToken(token);
      if (!owner) {
        limit.failed(address, now);
        throw new HttpProblem(401, "this token is not known");
      }
      const { session, cookie } = await openSession(parts, call, { owner, token });
      const answer = json(200, shown(session));
      return { ...answer, headers: { ...answer.headers, "Set-Cookie": cookie } };
    }),
    apiRoute("GET", "session", async (call) => {
      const session = await findSession(parts, call);
      return session ? json(200, shown(session)) : noContent;
    }),
    apiRoute("DELETE", "session", async (call) => {
      checkCsrf(call, await requireSession(parts, call));
      return { status: 204, headers: { "Set-Cookie": await endSession(parts, call) } };
    }),
  ];
}

function shown({ csrf, expiresAt }: Session): unknown {
  return { csrf, expires: expiresAt };
}
