import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";

export type UrlProbeResult = { readonly ok: true } | { readonly ok: false; readonly detail: string };

/**
 * Asks a URL once with GET, on a connection of its own: well is what answers 2xx or 3xx in time. The body is not read,
 * and no redirection is followed. Never rejects.
 */
export function probeUrl(
  url: string,
  { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<UrlProbeResult> {
  return new Promise((resolve) => {
    const fail = (detail: string): void => resolve({ ok: false, detail: `health_url ${detail}` });
    const request = url.startsWith("https:") ? httpsRequest : httpRequest;
    const call = request(url, { agent: false, signal, headers: { "user-agent": "gateway-engine-health" } });
    const timer = setTimeout(() => {
      fail(`did not answer within ${timeoutMs / 1000} s`);
      call.destroy();
    }, timeoutMs);
    call.once("response", (response) => {
      const status = response.statusCode ?? 0;
      if (status >= 200 && status < 400) resolve({ ok: true });
      else fail(`answered with HTTP status ${status}`);
      call.destroy();
    });
    // Also after the answer, when the connection is broken off by us: it is settled then.
    call.on("error", (error: NodeJS.ErrnoException) =>
      fail(`could not be asked (${error.code ?? error.message})`),
    );
    call.once("close", () => clearTimeout(timer));
    call.end();
  });
}
