import type { IncomingHttpHeaders } from "node:http";
import { RequestProblem } from "./problem.ts";
import { Remembered } from "./remembered.ts";

const loopbackNames = new Set([
  "localhost",
  "localhost.localdomain",
  "localhost4",
  "localhost6",
  "ip6-localhost",
  "ip6-loopback",
  "[::1]",
]);
const loopbackAddress = /^127(\.\d{1,3}){3}$/;
/** What old clients send that were turned to the queue by their hosts file or a proxy. */
const muranoName = /^([a-z0-9-]+\.)*m2\.exosite\.(com|io)$/;

/** Keeps web pages in a browser on the gateway out. */
export class BrowserGuard {
  private readonly isOurs = new Remembered(isOurName);

  /** They send an Origin, and a name of theirs that was rebound to loopback is in Host. @throws RequestProblem 403 */
  check({ origin, host }: IncomingHttpHeaders): void {
    if (origin !== undefined) throw new RequestProblem(403, "requests of web pages are not served");
    if (host !== undefined && host !== "" && !this.isOurs.of(host)) {
      throw new RequestProblem(403, "the Host header names another host");
    }
  }
}

function isOurName(host: string): boolean {
  const name = hostName(host);
  return loopbackNames.has(name) || loopbackAddress.test(name) || muranoName.test(name);
}

/** The product in `<product id>.m2.exosite.io`, for clients that name it nowhere else. */
export function productOf(host: string | undefined): string | undefined {
  return /^([a-z0-9-]+)\.m2\.exosite\.(?:com|io)$/.exec(hostName(host ?? ""))?.[1];
}

/** Without port and final dot, in lower case. */
function hostName(host: string): string {
  return host
    .toLowerCase()
    .replace(/:\d{1,5}$/, "")
    .replace(/\.$/, "");
}
