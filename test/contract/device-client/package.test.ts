import { execFile } from "node:child_process";
import {
  cpSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { answer, cik } from "../../support/device-client-fixtures.ts";
import { serve } from "../../support/device-client-wire-server.ts";

const run = promisify(execFile);
const root = join(import.meta.dirname, "../../..");
const nodeModules = join(root, "node_modules");
const tsc = join(nodeModules, "typescript/bin/tsc");

/** What somebody else's program looks like. Each line that must not compile is marked as such. */
const consumer = `
import { type AuditedExchange, ConflictError, DeviceClient, type Point, withRetry } from "gateway-engine/device-client";

const [baseUrl = "", cik = ""] = process.argv.slice(2);
const exchanges: AuditedExchange[] = [];
const options = { baseUrl, cik, vendor: undefined, audit: (exchange: AuditedExchange) => void exchanges.push(exchange) };
const client = new DeviceClient(options);
const api = withRetry(client, {
  schedule: { firstDelayMs: 1, maxDelayMs: 1, factor: 1, jitter: 0 },
  clock: { now: Date.now, monotonic: () => performance.now(), sleep: async () => {} },
  random: Math.random,
  attempts: 2,
});
const { values } = await api.read(["temp"], { signal: AbortSignal.timeout(60_000) });
const value: string | undefined = values.get("temp");
const points: readonly Point[] = await client.readHistory("temp");
try {
  await client.record([{ alias: "temp", points: [[1, "x"]] }]);
} catch (error) {
  if (!(error instanceof ConflictError)) throw error;
  const timestamps: ReadonlyMap<string, readonly number[]> = error.timestamps;
  console.log(JSON.stringify({ value, points, refused: [...timestamps], code: error.code, exchanges: exchanges.length }));
}
client.close();

// @ts-expect-error a value is a text
if (false as boolean) await client.write({ temp: 21.5 });
// @ts-expect-error a client needs a server
if (false as boolean) new DeviceClient({ cik });
// @ts-expect-error the inside stays inside
client.transport;
`;

const tsconfig = {
  compilerOptions: {
    strict: true,
    target: "es2022",
    lib: ["es2022"],
    module: "nodenext",
    moduleResolution: "nodenext",
    types: ["node"],
    noEmit: true,
    // Off, so that the package's own declarations are checked as well.
    skipLibCheck: false,
  },
  include: ["main.ts"],
};

/** Whether `npm test` (or somebody) has just built what is in src/. */
function isBuilt(): boolean {
  const output = statSync(join(root, "dist/types/device-client/index.d.ts"), { throwIfNoEntry: false });
  const sources = globSync(["src/**/*.ts", "packaging/*", "package.json"], { cwd: root });
  return sources.every((source) => statSync(join(root, source)).mtimeMs < (output?.mtimeMs ?? 0));
}

/** A copy, so that the build does not pull dist/ from under tests that run programs from there. */
async function buildCopy(copy: string): Promise<string> {
  for (const part of ["src", "packaging", "package.json", "tsconfig.json"]) {
    cpSync(join(root, part), join(copy, part), { recursive: true });
  }
  symlinkSync(nodeModules, join(copy, "node_modules"));
  await run(process.execPath, [join(copy, "packaging/build.ts")]);
  return copy;
}

describe("the package, built and used by another project", () => {
  let place = "";

  beforeAll(async () => {
    place = mkdtempSync(join(tmpdir(), "gwe-consumer-"));
    const built = isBuilt() ? root : await buildCopy(join(place, "gateway-engine"));
    const user = join(place, "user");
    mkdirSync(join(user, "node_modules/@types"), { recursive: true });
    symlinkSync(built, join(user, "node_modules/gateway-engine"));
    symlinkSync(join(nodeModules, "@types/node"), join(user, "node_modules/@types/node"));
    writeFileSync(join(user, "package.json"), JSON.stringify({ type: "module" }));
    writeFileSync(join(user, "tsconfig.json"), JSON.stringify(tsconfig));
    writeFileSync(join(user, "main.ts"), consumer);
  });

  afterAll(() => rmSync(place, { recursive: true, force: true }));

  test("npm packs what it exports, and no sources", async () => {
    const { stdout } = await run("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], {
      cwd: join(place, "user/node_modules/gateway-engine/"),
    });
    const [{ files } = { files: [] }] = JSON.parse(stdout) as { files: { path: string }[] }[];
    const packed = files.map(({ path }) => path);
    expect(packed).toEqual(
      expect.arrayContaining(["dist/device-client.js", "dist/types/device-client/index.d.ts"]),
    );
    expect(packed.filter((path) => /^(src|test|node_modules)\//.test(path))).toEqual([]);
  });

  test("its types are accepted under strict and nodenext", async () => {
    const check = run(process.execPath, [tsc, "-p", join(place, "user")]);
    await expect(check.catch((error: { stdout: string }) => error.stdout)).resolves.toMatchObject({
      stdout: "",
    });
  });

  test("it works against a server", async () => {
    const server = await serve((request, response) => {
      if (request.url === "/onep:v1/rpc/process") {
        const body = JSON.stringify([{ id: 1, status: "ok", result: [[1, 2]] }]);
        answer(response, 200, body, { "Content-Type": "application/json" });
      } else if (request.method === "POST") answer(response, 409, "temp=1");
      else if (server.requests.length === 1) answer(response, 503);
      else answer(response, 200, "temp=21.5");
    });
    const { stdout } = await run(process.execPath, ["main.ts", server.url, cik], {
      cwd: join(place, "user"),
    });
    expect(JSON.parse(stdout)).toEqual({
      value: "21.5",
      points: [[1, "2"]],
      refused: [["temp", [1]]],
      code: "CONFLICT",
      exchanges: 4,
    });
    expect(server.connections).toHaveLength(1);
  });
});
