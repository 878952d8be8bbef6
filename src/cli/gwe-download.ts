import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { join, resolve } from "node:path";
import fetch, { type Response } from "node-fetch";
import { engineVersion, loadConfig } from "../config/index.ts";
import { describeError } from "../core/errors.ts";
import { durableFiles } from "../platform/durable-files.ts";
import { CommandError } from "./errors.ts";
import type { GweContext } from "./gwe-context.ts";
import { latestRelease, type Release } from "./releases.ts";

/** How long a server may keep silent, milliseconds: a slow link is no reason to give up. */
const silenceMs = 60_000;
const maxListBytes = 1024 * 1024;

/**
 * `gwe --download-latest AREA`: the newest release of an area for this machine, into the current directory. Its path
 * alone goes to stdout. What is there already and whole is not fetched again.
 */
export async function downloadLatest(area: string, { terminal, paths }: GweContext): Promise<number> {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(area)) throw new CommandError(`'${area}' is no area's name`);
  const { device, engine } = loadConfig(paths);
  if (engine.releaseUrl === undefined) {
    throw new CommandError(`set release_url in ${paths.engineConfig} to where releases are published`);
  }
  const source = new ReleaseSource(`${engine.releaseUrl}/${area}`, device.caFile, terminal.env);
  try {
    const release = latestRelease(await source.list(), process.arch);
    if (release === undefined)
      throw new CommandError(`no release for ${process.arch} in ${source.url}/SHA256SUMS`);
    const file = resolve(release.file);
    if (await isWhole(file, release)) terminal.note(`gwe: ${release.file} is here already`);
    else await source.fetch(release, file, (text) => terminal.note(`gwe: ${text}`));
    await terminal.write(`${file}\n`);
    return 0;
  } finally {
    source.close();
  }
}

/** An area of a release server: `SHA256SUMS` and the archives that it names. */
class ReleaseSource {
  readonly url: string;
  private readonly agent: HttpAgent | HttpsAgent;

  constructor(url: string, caFile: string | undefined, env: Readonly<Record<string, string | undefined>>) {
    this.url = url;
    const options = { proxyEnv: { ...env } };
    this.agent = url.startsWith("https:")
      ? new HttpsAgent({ ...options, ...(caFile !== undefined && { ca: readFileSync(caFile) }) })
      : new HttpAgent(options);
  }

  async list(): Promise<string> {
    const silence = new Silence();
    try {
      const response = await this.get("SHA256SUMS", silence);
      let text = "";
      for await (const chunk of bodyOf(response)) {
        silence.heard();
        text += chunk.toString("latin1");
        if (text.length > maxListBytes)
          throw new CommandError(`${this.url}/SHA256SUMS is no list of releases`);
      }
      return text;
    } catch (error) {
      throw this.explained("SHA256SUMS", error);
    } finally {
      silence.end();
    }
  }

  /** Into a file of another name until it is whole and has the digest that it must have. */
  async fetch({ file: name, sha256 }: Release, file: string, say: (text: string) => void): Promise<void> {
    const partial = `${file}.partial`;
    const silence = new Silence();
    const sink = await durableFiles.create(partial, 0o644);
    try {
      const response = await this.get(name, silence);
      say(`downloading ${name} (${response.headers.get("content-length") ?? "?"} bytes)`);
      const hash = createHash("sha256");
      for await (const chunk of bodyOf(response)) {
        silence.heard();
        hash.update(chunk);
        await sink.write(chunk);
      }
      await sink.finish();
      const found = hash.digest("hex");
      if (found !== sha256) {
        throw new CommandError(
          `${name} is not what SHA256SUMS says: its SHA-256 is ${found} instead of ${sha256}`,
        );
      }
      await durableFiles.move(partial, file);
    } catch (error) {
      await sink.abandon().catch(() => undefined);
      await durableFiles.remove(partial);
      throw this.explained(name, error);
    } finally {
      silence.end();
    }
  }

  close(): void {
    this.agent.destroy();
  }

  private async get(name: string, silence: Silence): Promise<Response> {
    const response = await fetch(`${this.url}/${name}`, {
      agent: this.agent,
      signal: silence.signal,
      headers: { "User-Agent": `GatewayEngine-v${engineVersion}`, "Accept-Encoding": "identity" },
    });
    if (response.status !== 200) throw new CommandError(`${this.url}/${name} answered ${response.status}`);
    return response;
  }

  private explained(name: string, error: unknown): CommandError {
    if (error instanceof CommandError) return error;
    return new CommandError(`${this.url}/${name} could not be fetched: ${describeError(error)}`, {
      cause: error,
    });
  }
}

/** Aborts when nothing was heard for `silenceMs`. */
class Silence {
  private readonly controller = new AbortController();
  private timer = this.start();

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  heard(): void {
    clearTimeout(this.timer);
    this.timer = this.start();
  }

  end(): void {
    clearTimeout(this.timer);
  }

  private start(): NodeJS.Timeout {
    return setTimeout(() => this.controller.abort(), silenceMs);
  }
}

async function isWhole(file: string, { sha256 }: Release): Promise<boolean> {
  if ((await durableFiles.sizeOf(file)) === undefined) return false;
  const { createReadStream } = await import("node:fs");
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(join(file))) hash.update(chunk as Buffer);
  return hash.digest("hex") === sha256;
}

function bodyOf(response: Response): AsyncIterable<Buffer> {
  if (response.body === null) throw new CommandError("the answer has no body");
  return response.body as unknown as AsyncIterable<Buffer>;
}
