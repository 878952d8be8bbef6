/**
 * `node bare-check-in.ts URL INTERVAL_MS`, the request on standard input: a Node process that does nothing but make one
 * HTTP request every so often, over a kept-alive connection, and read its answer.
 */
import { Agent, request } from "node:http";
import { text } from "node:stream/consumers";

const [url = "", intervalMs = ""] = process.argv.slice(2);
const raw = await text(process.stdin);
const split = raw.indexOf("\r\n\r\n");
const [requestLine = "", ...lines] = raw.slice(0, split).split("\r\n");
const [method, path] = requestLine.split(" ");
const headers = Object.fromEntries(
  lines.map((line) => line.split(/: */, 2)).filter(([name]) => !/^(host|connection)$/i.test(name ?? "")),
) as Record<string, string>;
const body = raw.slice(split + 4);
const agent = new Agent({ keepAlive: true });

function checkIn(): void {
  request(url + path, { method: method ?? "POST", headers, agent }, (response) => response.resume()).end(
    body,
  );
}

checkIn();
setInterval(checkIn, Number(intervalMs));
