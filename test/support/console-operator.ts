import type { Gateway } from "../../src/emulator/fleet/gateway.ts";
import type { TestEmulator } from "./emulator.ts";

export interface ConsoleAnswer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of any shape
  readonly body: any;
}

export interface ConsoleRequest {
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON, but for bytes. */
  readonly body?: unknown;
}

export async function consoleFetch(
  url: string,
  method: string,
  path: string,
  { headers, body }: ConsoleRequest = {},
): Promise<ConsoleAnswer> {
  const isRaw = body instanceof Uint8Array;
  const response = await fetch(`${url}/console/${path}`, {
    method,
    redirect: "manual",
    headers: { ...(body !== undefined && !isRaw && { "Content-Type": "application/json" }), ...headers },
    ...(body !== undefined && { body: isRaw ? new Uint8Array(body) : JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJson = response.headers.get("content-type")?.startsWith("application/json") ?? false;
  return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
}

/** Somebody who signed in with the owner's token, as a browser would hold it. */
export class ConsoleOperator {
  readonly url: string;
  readonly cookie: string;
  readonly csrf: string;

  constructor(url: string, cookie: string, csrf: string) {
    this.url = url;
    this.cookie = cookie;
    this.csrf = csrf;
  }

  static async signIn({ url, token }: Pick<TestEmulator, "url" | "token">): Promise<ConsoleOperator> {
    const { headers, body } = await consoleFetch(url, "POST", "api/session", { body: { token } });
    const cookie = headers.get("set-cookie")?.split(";", 1)[0] ?? "";
    return new ConsoleOperator(url, cookie, body.csrf);
  }

  call(method: string, path: string, body?: unknown): Promise<ConsoleAnswer> {
    return consoleFetch(this.url, method, `api/${path}`, {
      headers: { Cookie: this.cookie, "X-CSRF-Token": this.csrf },
      body,
    });
  }

  async fleet(filter = ""): Promise<readonly Gateway[]> {
    return (await this.call("GET", `fleet?filter=${encodeURIComponent(filter)}`)).body.gateways;
  }

  /** Server-sent events from now on, oldest first. */
  async *events(signal: AbortSignal): AsyncGenerator<{ readonly name: string; readonly data: unknown }> {
    const response = await fetch(`${this.url}/console/api/events`, {
      headers: { Cookie: this.cookie },
      signal,
    });
    let text = "";
    for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      text += chunk;
      for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
        const [, name, data] = /^event: (.*)\ndata: (.*)$/s.exec(text.slice(0, end)) ?? [];
        text = text.slice(end + 2);
        if (name !== undefined) yield { name, data: JSON.parse(data ?? "null") };
      }
    }
  }
}
