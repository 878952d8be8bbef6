/**
 * Bundles each command into dist/ (esbuild) and writes the type declarations of the public library (tsc).
 * `npm ci` runs it by itself (`prepare`); it needs nothing that npm did not just install.
 */
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, rmSync } from "node:fs";
import { isBuiltin } from "node:module";
import { basename, join } from "node:path";
import { type BuildOptions, build, type Plugin } from "esbuild";

const root = join(import.meta.dirname, "..");

/** Bundle name in dist/ → its entry module. */
const entryPoints: Record<string, string> = {
  gwe: "src/cli/gwe.ts",
  gmq: "src/cli/gmq.ts",
  "ota-worker": "src/ota/worker/main.ts",
  "machine-facts": "src/telemetry/machine-facts/main.ts",
  "murano-emulator": "src/emulator/main.ts",
  "device-client": "src/device-client/index.ts",
  "peer-certificate": "src/device-client/peer-certificate.ts",
};

/**
 * An `import` of a module of Node's own makes Node evaluate each of its exports, and some load much that nobody here
 * uses: node:http's WebSocket the whole of undici (25 ms and several MB), node:fs's promises the line editor of the
 * REPL. Taken as CommonJS modules they load what is touched.
 */
/** Loaded at the first touch of an export: TLS alone takes as long as all else that `gdc` needs, also where a server speaks plain HTTP. */
const loadedAtTouch = ["https", "tls", "zlib"];

function builtinModule(path: string): string {
  const load = `process.getBuiltinModule(${JSON.stringify(path)})`;
  const name = path.replace(/^node:/, "");
  if (!loadedAtTouch.includes(name)) return `module.exports = ${load};`;
  const names = JSON.stringify(Object.keys(process.getBuiltinModule(name) ?? {}));
  return `for (const name of ${names})
  Object.defineProperty(module.exports, name, { enumerable: true, get: () => ${load}[name] });`;
}

const lazyBuiltins: Plugin = {
  name: "lazy-builtins",
  setup: ({ onResolve, onLoad }) => {
    onResolve({ filter: /^(node:)?[a-z_/]+$/ }, ({ path, kind }) =>
      // A dynamic import is late already, and its caller takes the exports by name.
      isBuiltin(path) && kind !== "dynamic-import" ? { path, namespace: "builtin" } : undefined,
    );
    onLoad({ filter: /.*/, namespace: "builtin" }, ({ path }) => ({ contents: builtinModule(path) }));
  },
};

/** In a bundle of one file all is read at each start: what hardly any run needs stays in its own. */
const seldom: Plugin = {
  name: "seldom",
  setup: ({ onResolve }) => {
    onResolve({ filter: /\/peer-certificate\.ts$/ }, () => ({
      path: "./peer-certificate.js",
      external: true,
    }));
  },
};

// For continuous integration, whose sources stay as they are: one build for all its steps.
if (process.env.GWE_KEEP_BUILD === "1" && existsSync(join(root, "dist/types/device-client/index.d.ts"))) {
  process.exit(0);
}

rmSync(join(root, "dist"), { recursive: true, force: true });

/** What git says; empty where there is none. */
function git(...args: readonly string[]): string {
  const { status, stdout } = spawnSync("git", args, { cwd: root, encoding: "utf8" });
  return status === 0 ? stdout.trim() : "";
}

const common = {
  absWorkingDir: root,
  outdir: "dist",
  bundle: true,
  format: "esm",
  platform: "node",
  target: "node22",
  minifySyntax: true,
  // V8 keeps the text of what it may still have to compile: less text is less memory. Names stay, for traces.
  minifyWhitespace: true,
  lineLimit: 200,
  legalComments: "linked",
  plugins: [lazyBuiltins],
  // pm2 is a program of its own (AGPL, never bundled); better-sqlite3 finds its native addon by its own path; pg tries
  // pg-native where somebody installed it.
  external: ["pm2", "better-sqlite3", "pg-native"],
  // CommonJS dependencies inside an ES module bundle still call require().
  banner: {
    js: 'import{createRequire as __gweRequire}from"node:module";const require=__gweRequire(import.meta.url);',
  },
  define: {
    "process.env.NODE_ENV": '"production"',
    // Not --short: how many digits that gives depends on what else the repository holds.
    "process.env.GWE_BUILD_COMMIT": JSON.stringify(git("rev-parse", "HEAD").slice(0, 7)),
    // Of the commit, so that the same sources make the same bundle (reproducible-builds.org/docs/source-date-epoch).
    "process.env.GWE_BUILD_TIME": JSON.stringify(
      process.env.SOURCE_DATE_EPOCH ?? git("log", "-1", "--format=%ct"),
    ),
  },
  logLevel: "warning",
} satisfies BuildOptions;

// Shared chunks: a command loads only what it uses, and dynamic imports stay late.
await build({ ...common, entryPoints, splitting: true });
// Called in tight loops, and nearly always for all that it has: two dozen chunks would take it 20 ms longer to find.
await build({
  ...common,
  plugins: [...common.plugins, seldom],
  entryPoints: { gdc: "src/cli/gdc.ts", supervisorctl: "src/cli/supervisorctl.ts" },
});

// Run from a copy, so all in one file; and without what only CommonJS dependencies need.
await build({ ...common, banner: {}, entryPoints: { logd: "src/supervisor/logd/main.ts" } });

// The emulator's console: for browsers, all in one file each.
await build({
  absWorkingDir: root,
  entryPoints: { console: "src/emulator/console/web/main.tsx" },
  outdir: "dist/console",
  bundle: true,
  format: "esm",
  platform: "browser",
  target: "es2022",
  minify: true,
  legalComments: "linked",
  logLevel: "warning",
});
for (const name of ["index.html", "icon.svg"]) {
  cpSync(join(root, "src/emulator/console/web", name), join(root, "dist/console", name));
}

// Not TypeScript: POSIX shell scripts, for each app that pm2 runs and for each installer.
for (const script of ["supervisor/launcher/launcher.sh", "platform/attendant/attendant.sh"]) {
  cpSync(join(root, "src", script), join(root, "dist", basename(script)));
}

const tsc = spawnSync(
  process.execPath,
  [join(root, "node_modules/typescript/bin/tsc"), "-p", join(root, "packaging/tsconfig.types.json")],
  { stdio: "inherit" },
);
if (tsc.status !== 0) process.exit(tsc.status ?? 1);
