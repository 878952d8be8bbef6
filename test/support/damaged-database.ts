import { closeSync, ftruncateSync, openSync, statSync, writeSync } from "node:fs";
import type { SqliteDatabase } from "../../src/platform/sqlite.ts";

/** Numbers that look random and are the same in every run (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** What a gateway with a few apps and some history holds. */
export function fillGateway(db: SqliteDatabase, apps: number, commands: number): void {
  db.transaction(() => {
    for (let app = 1; app <= apps; app++) {
      db.prepare(
        "INSERT INTO supervised_apps VALUES (?, '1.0', 'long-running', ?, 'running', ?, 1, 1, '[]')",
      ).run(`app-${app}`, `/apps/app-${app}/1.0`, app);
      db.prepare("INSERT INTO ota_versions VALUES (?, ?, '1.0', ?, 1)").run(
        `/apps/app-${app}/1.0`,
        `app-${app}`,
        app,
      );
    }
    db.prepare("UPDATE supervisor_generation SET last = ?").run(apps);
    for (let seq = 1; seq <= commands; seq++) {
      db.prepare(
        "INSERT INTO ota_commands VALUES (?, ?, NULL, ?, 'hash', 'engine_fetch', 0, '[]', 1, 0, 1)",
      ).run(seq, `report-${seq}`, seq);
      db.prepare(
        `INSERT INTO ota_jobs (id, command, app, version, content_id, state, transitions, ended, started_at, finished_at)
         VALUES (?, ?, 'app-1', '1.0', 'app-1.v1.0.tar.gz', ?, 5, 1, 1, 1)`,
      ).run(
        seq,
        seq,
        JSON.stringify({ phase: "committed", note: "", result: "x".repeat((seq * 997) % 9_000) }),
      );
    }
    db.prepare("INSERT INTO engine_facts VALUES ('fetchCursor', '{}')").run();
    db.prepare("INSERT INTO outbox (alias, key, value) VALUES ('fetch_status', 'one', ?)").run(
      "y".repeat(500),
    );
  })();
}

/** Spoils a file in one of several ways, at a place that the seed chooses. */
export function damage(file: string, random: () => number): string {
  const { size } = statSync(file);
  const way = ["noise", "zeros", "bytes", "cut", "pages"][Math.floor(random() * 5)] ?? "noise";
  const page = 4096 * Math.floor(random() * (size / 4096));
  const noise = (length: number): Buffer =>
    Buffer.from(Array.from({ length }, () => Math.floor(random() * 256)));
  const fd = openSync(file, "r+");
  try {
    if (way === "noise") writeSync(fd, noise(4096), 0, 4096, page);
    if (way === "zeros") writeSync(fd, Buffer.alloc(4096), 0, 4096, page);
    if (way === "bytes") writeSync(fd, noise(16), 0, 16, page + Math.floor(random() * 4080));
    if (way === "cut") ftruncateSync(fd, Math.max(4096, page + (random() < 0.5 ? 0 : 1000)));
    if (way === "pages") {
      for (let count = 0; count < 3; count++) {
        writeSync(fd, noise(4096), 0, 4096, 4096 * Math.floor(random() * (size / 4096)));
      }
    }
  } finally {
    closeSync(fd);
  }
  return `${way} at page ${page / 4096 + 1}`;
}
