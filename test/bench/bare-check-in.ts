/**
 * `node bare-check-in.ts URL INTERVAL_MS [DATABASE]`, the request on standard input: a Node process that does nothing but make one
 * HTTP request every so often, over a kept-alive connection, and read its answer. With DATABASE it does so by what an engine has to
 * use, node-fetch, and then has the request in a SQLite database on disk: the least that a check-in may cost.
 */
import { Agent, request } from "node:http";
import { text } from "node:stream/consumers";

const [url = "", intervalMs = "", database] = process.argv.slice(2);
const raw = await text(process.stdin);
const split = raw.indexOf("\r\n\r\n");
const [requestLine = "", ...lines] = raw.slice(0, split).split("\r\n");
const [method = "POST", path = "/"] = requestLine.split(" ");
const headers = Object.fromEntries(
  lines.map((line) => line.split(/: */, 2)).filter(([name]) => !/^(host|connection)$/i.test(name ?? "")),
) as Record<string, string>;
const body = raw.slice(split + 4);
const agent = new Agent({ keepAlive: true });

function checkIn(): void {
  request(url + path, { method, headers, agent }, (response) => response.resume()).end(body);
}

/** @returns a check-in by the engine's libraries */
async function withLibraries(file: string): Promise<() => Promise<void>> {
  const [{ default: fetch }, { default: Database }] = await Promise.all([
    import("node-fetch"),
    import("better-sqlite3"),
  ]);
  const db = new Database(file);
  db.pragma("journal_mode = WAL");
  db.exec("CREATE TABLE sent (id INTEGER PRIMARY KEY, request TEXT)");
  // better-sqlite3 falls back to NORMAL at the first write.
  db.pragma("synchronous = FULL");
  const keep = db.prepare("INSERT OR REPLACE INTO sent VALUES (1, ?)");
  return async () => {
    const response = await fetch(url + path, { method, headers, agent, body });
    await response.text();
    keep.run(body);
  };
}

const act = database === undefined ? checkIn : await withLibraries(database);
void act();
setInterval(() => void act(), Number(intervalMs));
