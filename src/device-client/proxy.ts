import { BlockList, isIP } from "node:net";
import { DeviceClientOptionsError } from "./errors.ts";

/** Such as `process.env`. */
export type ProxyEnvironment = Readonly<Record<string, string | undefined>>;

export interface ProxyServer {
  readonly secure: boolean;
  readonly host: string;
  readonly port: number;
  /** Value of `Proxy-Authorization`. A secret. */
  readonly authorization: string | undefined;
}

/**
 * The proxy that the environment names for a server, by the rules that curl and Go share: `HTTPS_PROXY` or
 * `HTTP_PROXY` by the server's scheme, unless `NO_PROXY` lists the server; lower case names win. Loopback never goes
 * through a proxy, which could not reach it.
 *
 * @throws DeviceClientOptionsError naming the variable, never its value, which may hold a password
 */
export function proxyFor(server: URL, environment: ProxyEnvironment): ProxyServer | undefined {
  const variable = server.protocol === "https:" ? "https_proxy" : "http_proxy";
  const value = read(environment, variable);
  if (value === "") return undefined;
  const host = unbracketed(server.hostname);
  if (isLoopback(host) || isExempt(host, effectivePort(server), read(environment, "no_proxy")))
    return undefined;
  return parseProxy(value, variable.toUpperCase());
}

function read(environment: ProxyEnvironment, name: string): string {
  return (environment[name] || environment[name.toUpperCase()] || "").trim();
}

function parseProxy(value: string, variable: string): ProxyServer {
  const text = /^[a-z][a-z0-9+.-]*:\/\//i.test(value) ? value : `http://${value}`;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== "http:" && url.protocol !== "https:")) {
    throw new DeviceClientOptionsError(
      `${variable}: expected http://[user:password@]host[:port] or the same with https://`,
      { context: { variable } },
    );
  }
  const credentials =
    url.username === "" ? undefined : `${unescaped(url.username)}:${unescaped(url.password)}`;
  return {
    secure: url.protocol === "https:",
    host: unbracketed(url.hostname),
    port: effectivePort(url),
    authorization: credentials && `Basic ${Buffer.from(credentials).toString("base64")}`,
  };
}

/** A password typed raw into a variable may hold a `%` that starts no escape: it is taken as it is. */
function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** `NO_PROXY`: names (each stands for its subdomains too), addresses, CIDR ranges, each with an optional port; `*`. */
function isExempt(host: string, port: number, list: string): boolean {
  return list
    .toLowerCase()
    .split(/[\s,]+/)
    .some((entry) => entry !== "" && matches(entry, host.toLowerCase(), port));
}

function matches(entry: string, host: string, port: number): boolean {
  if (entry === "*") return true;
  if (entry.includes("/")) return isInRange(entry, host);
  const withPort = /^(\[[^\]]+\]|[^:]+):(\d+)$/.exec(entry);
  if (withPort !== null && Number(withPort[2]) !== port) return false;
  const name = unbracketed(withPort?.[1] ?? entry).replace(/^\*?\./, "");
  return host === name || (isIP(host) === 0 && host.endsWith(`.${name}`));
}

function isInRange(entry: string, host: string): boolean {
  const [network = "", prefixText = ""] = entry.split("/");
  const family = isIP(network);
  const prefix = Number(prefixText);
  const isValid = family !== 0 && /^\d+$/.test(prefixText) && prefix <= (family === 4 ? 32 : 128);
  if (!isValid || isIP(host) !== family) return false;
  const kind = family === 4 ? "ipv4" : "ipv6";
  const range = new BlockList();
  range.addSubnet(network, prefix, kind);
  return range.check(host, kind);
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
}

/** Node's sockets take IPv6 addresses without the brackets that a URL needs. */
export function unbracketed(host: string): string {
  return host.replace(/^\[(.*)\]$/, "$1");
}

export function effectivePort(url: URL): number {
  if (url.port !== "") return Number(url.port);
  return url.protocol === "https:" ? 443 : 80;
}
