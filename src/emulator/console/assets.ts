import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { HttpProblem } from "../errors.ts";
import type { Call } from "../http/call.ts";
import type { Reply } from "../http/reply.ts";
import type { Route } from "../http/router.ts";
import { takesGzip } from "./api-route.ts";

/** What the page is made of (packaging/build.ts): name in `dist/console/` and in the URL → media type. */
const files: Readonly<Record<string, string>> = {
  "index.html": "text/html; charset=utf-8",
  "console.js": "text/javascript; charset=utf-8",
  "console.css": "text/css; charset=utf-8",
  "icon.svg": "image/svg+xml",
};

/** Nothing from anywhere else, no inline script or style, in nobody's frame. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join("; ");

const guard = {
  "Content-Security-Policy": contentSecurityPolicy,
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "no-referrer",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
};

interface Asset {
  readonly type: string;
  readonly etag: string;
  readonly plain: Buffer;
  readonly gzipped: Buffer;
}

/** The page itself, for everybody: it holds nothing before somebody signs in. */
export function assetRoutes(): readonly Route[] {
  const assets = new Map<string, Asset>();
  const serve = async (call: Call, name: string): Promise<Reply> => {
    const asset = assets.get(name) ?? readAsset(name);
    assets.set(name, asset);
    const headers = { ...guard, "Content-Type": asset.type, ETag: asset.etag, "Cache-Control": "no-cache" };
    if (call.header("if-none-match") === asset.etag) return { status: 304, headers };
    if (!takesGzip(call)) return { status: 200, headers, body: asset.plain };
    return {
      status: 200,
      headers: { ...headers, "Content-Encoding": "gzip", Vary: "Accept-Encoding" },
      body: asset.gzipped,
    };
  };
  const route = (path: string, handle: Route["handle"]): Route => ({
    method: "GET",
    path,
    procedure: "console",
    admin: true,
    handle,
  });
  return [
    // Relative addresses in the page need the slash.
    route("/console", async (call) =>
      call.path.endsWith("/")
        ? serve(call, "index.html")
        : { status: 308, headers: { Location: "/console/" } },
    ),
    route("/console/*", (call) => serve(call, call.param(0))),
  ];
}

/** @throws HttpProblem 404 for a name that is not the page's; 503 when it has not been built */
function readAsset(name: string): Asset {
  const type = Object.hasOwn(files, name) ? files[name] : undefined;
  if (type === undefined) throw new HttpProblem(404, "no such file");
  // Beside the bundle, or above the sources.
  const file = ["console", "../../../dist/console"]
    .map((directory) => join(import.meta.dirname, directory, name))
    .find((candidate) => existsSync(candidate));
  if (file === undefined) throw new HttpProblem(503, "the console is not there: run 'npm run build'");
  const plain = readFileSync(file);
  const etag = `"${createHash("sha256").update(plain).digest("base64url").slice(0, 22)}"`;
  return { type, etag, plain, gzipped: gzipSync(plain) };
}
