import type { ServerResponse } from "node:http";
import { onTestFinished } from "vitest";
import {
  type AuditedExchange,
  DeviceClient,
  type DeviceClientOptions,
} from "../../src/device-client/index.ts";

export const cik = "0123456789abcdefghijABCDEFGHIJ0123456789";

/** A client of `baseUrl` that notes its exchanges; closed when the test has finished. */
export function connect(
  baseUrl: string,
  options: Partial<DeviceClientOptions> = {},
): { readonly client: DeviceClient; readonly exchanges: AuditedExchange[] } {
  const exchanges: AuditedExchange[] = [];
  const client = new DeviceClient({
    baseUrl,
    cik,
    vendor: "pid",
    model: "pid",
    proxyEnvironment: {},
    audit: (exchange) => exchanges.push(exchange),
    ...options,
  });
  onTestFinished(() => client.close());
  return { client, exchanges };
}

/** Answers like Murano: `204` without a body, else with a form. */
export function answer(
  response: ServerResponse,
  status: number,
  body = "",
  headers: Record<string, string> = {},
): void {
  const type = { "Content-Type": "application/x-www-form-urlencoded; charset=utf-8" };
  response.writeHead(status, { ...(body !== "" && type), ...headers });
  response.end(body);
}

/** What a rejected call rejected with. */
export async function rejection(call: Promise<unknown>): Promise<unknown> {
  return await call.then(
    () => expectRejection(),
    (error: unknown) => error,
  );
}

function expectRejection(): never {
  throw new RangeError("the call should have been rejected");
}
