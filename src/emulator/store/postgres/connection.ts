import pg, { type ClientConfig } from "pg";
import { parseIntoClientConfig } from "pg-connection-string";
import { EmulatorStartError } from "../../errors.ts";
import { unescapeNul } from "./nul-escape.ts";

/** Types by their numbers in pg_type. Whole numbers become numbers: seconds, ids and counts stay far below 2^53. */
const parsers: Readonly<Record<number, (text: string) => unknown>> = { 20: Number, 25: unescapeNul };
const types: NonNullable<ClientConfig["types"]> = {
  getTypeParser: ((oid: number, format?: "text") =>
    parsers[oid] ?? pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser,
};

/** Set for the session, whatever the server's default is. */
export interface SessionSettings {
  /** Whether a commit is answered only when it would survive a power cut. */
  readonly isSynchronous: boolean;
}

/**
 * How to reach a database by its URL (postgresql.org/docs, "Connection URIs"; `?host=/run/postgresql` for a Unix socket);
 * what it lacks comes from the environment (PGHOST, PGPASSWORD, …) and ~/.pgpass.
 *
 * @throws EmulatorStartError; its text never holds the URL, which may hold a password
 */
export function connectionTo(url: string, { isSynchronous }: SessionSettings): ClientConfig {
  let given: ClientConfig;
  try {
    given = parseIntoClientConfig(url);
  } catch {
    throw new EmulatorStartError("the database's URL is not understood: expected postgres://…");
  }
  const settings = `-c synchronous_commit=${isSynchronous ? "on" : "off"} -c client_min_messages=warning`;
  return {
    application_name: "murano-emulator",
    connectionTimeoutMillis: 10_000,
    // A process that was stopped in the middle must not hold its rows for ever.
    idle_in_transaction_session_timeout: 30_000,
    ...given,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    options: given.options === undefined ? settings : `${given.options} ${settings}`,
    types,
  };
}
