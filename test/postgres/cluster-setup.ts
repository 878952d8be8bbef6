import { silentLogger } from "../../src/core/logger.ts";
import { openPostgresStore } from "../../src/emulator/store/postgres/postgres-store.ts";
import { PostgresCluster, templateDatabase } from "../support/postgres-cluster.ts";

/** One cluster for all files; each test emulator makes a database of its own in it. */
export default async function setup(): Promise<() => Promise<void>> {
  const cluster = await PostgresCluster.start();
  await cluster.run(`CREATE DATABASE ${templateDatabase}`);
  const { store } = await openPostgresStore({
    url: cluster.url(templateDatabase),
    logger: silentLogger,
    createMissing: true,
    historyLimit: 1000,
  });
  await store.close();
  process.env.GWE_TEST_DATABASE = cluster.url("postgres");
  return () => cluster.stop();
}
