import type { Call } from "./call.ts";
import type { Reply } from "./reply.ts";

type Handler = (call: Call) => Promise<Reply>;

export interface Route {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** Path with `*` for one variable part each, e.g. `/provision/manage/model/*`. */
  readonly path: string;
  /** What the request log and faults call it. */
  readonly procedure: string | ((call: Call) => string);
  readonly handle: Handler;
  /** The handler reads the request itself, so that nothing large is held in memory. */
  readonly streamsBody?: boolean;
  /** Largest body in bytes where the usual limit does not fit. */
  readonly maxBodyBytes?: number;
  /** The emulator's own: no faults, not in the request log. */
  readonly admin?: boolean;
  /** Serial number that the request itself names, for requests without a CIK. */
  readonly device?: (call: Call) => string | undefined;
}

export type Found =
  | { readonly route: Route; readonly params: readonly string[] }
  | { readonly route: undefined; readonly allow: readonly string[] };

interface Compiled {
  readonly route: Route;
  readonly segments: readonly string[];
}

/** Finds the route of a request. A trailing slash makes no difference. */
export class Router {
  readonly #exact = new Map<string, Route[]>();
  readonly #patterns: Compiled[] = [];

  constructor(routes: readonly Route[]) {
    for (const route of routes) {
      if (route.path.includes("*")) {
        this.#patterns.push({ route, segments: split(route.path) });
      } else {
        this.#exact.set(route.path, [...(this.#exact.get(route.path) ?? []), route]);
      }
    }
  }

  find(method: string, path: string): Found {
    const plain = path.length > 1 && path.endsWith("/") ? path.slice(0, -1) : path;
    const exact = this.#exact.get(plain) ?? [];
    const hit = exact.find((route) => route.method === method);
    if (hit) return { route: hit, params: [] };
    const segments = split(plain);
    const allow = exact.map((route) => route.method as string);
    for (const { route, segments: pattern } of this.#patterns) {
      const params = match(pattern, segments);
      if (!params) continue;
      if (route.method === method) return { route, params };
      allow.push(route.method);
    }
    return { route: undefined, allow: [...new Set(allow)] };
  }
}

/** Parts of a path, decoded; a bad percent-encoding is left as it is and then matches nothing. */
function split(path: string): string[] {
  return path
    .slice(1)
    .split("/")
    .map((part) => {
      if (!part.includes("%")) return part;
      try {
        return decodeURIComponent(part);
      } catch {
        return part;
      }
    });
}

function match(pattern: readonly string[], segments: readonly string[]): string[] | undefined {
  if (pattern.length !== segments.length) return undefined;
  const params: string[] = [];
  for (const [index, part] of pattern.entries()) {
    const segment = segments[index] ?? "";
    if (part === "*" ? segment === "" : part !== segment) return undefined;
    if (part === "*") params.push(segment);
  }
  return params;
}
