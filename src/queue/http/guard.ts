import type { IncomingHttpHeaders } from "node:http";
import { RequestProblem } from "./problem.ts";
import { Remembered } from "./remembered.ts";

const loopbackNames = new Set([
  "localhost",
  "localhost.localdomain",
  "localhost4",
  "localhost4.localdomain4",
  "localhost6",
  "localhost6.localdomain6",
  "ip6-localhost",
  "ip6-loopback",
]);
const loopbackAddress = /^127(\.\d{1,3}){3}$/;
/** In the one form that WHATWG's URL gives an address: ::1, and 127.x.x.x mapped. */
const loopbackV6 = /^\[::(1|ffff:7f[0-9a-f]{2}:[0-9a-f]{1,4})\]$/;
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

  /**
   * The path and query of a target, which a client that takes us for a proxy names with its host (RFC 9112, 3.2.2).
   * @throws RequestProblem 403
   */
  originForm(target: string): string {
    const [, authority, rest = ""] = /^http:\/\/([^/?#]+)(.*)$/i.exec(target) ?? [];
    if (authority === undefined) return target;
    if (!this.isOurs.of(authority)) throw new RequestProblem(403, "the request is for another host");
    return rest.startsWith("/") ? rest : `/${rest}`;
  }
}

function isOurName(host: string): boolean {
  const name = hostName(host);
  if (name.startsWith("[")) return isLoopbackV6(name);
  return loopbackNames.has(name) || loopbackAddress.test(name) || muranoName.test(name);
}

/** @param literal in brackets, perhaps with a zone */
function isLoopbackV6(literal: string): boolean {
  const url = `http://${literal.replace(/%[^\]]*/, "")}/`;
  return URL.canParse(url) && loopbackV6.test(new URL(url).hostname);
}

/** The product in `<product id>.m2.exosite.io`, for clients that name it nowhere else. */
export function productOf(host: string | undefined): string | undefined {
  return /^([a-z0-9-]+)\.m2\.exosite\.(?:com|io)$/.exec(hostName(host ?? ""))?.[1];
}

/** Without port and final dot, in lower case. */
function hostName(host: string): string {
  return host
    .toLowerCase()
    .replace(/:\d{0,5}$/, "")
    .replace(/\.$/, "");
}
