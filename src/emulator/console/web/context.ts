import { createContext } from "preact";
import { useContext, useEffect, useReducer, useRef, useState } from "preact/hooks";
import type { Api } from "./api.ts";
import { problemOf } from "./api.ts";
import type { Live, News } from "./live.ts";

export interface Console {
  readonly api: Api;
  readonly live: Live;
  /** Shows a line that goes away by itself, and reads it out. */
  readonly notify: (text: string, kind?: "good" | "bad") => void;
}

export const ConsoleContext = createContext<Console | undefined>(undefined);

class NoConsoleError extends Error {
  override readonly name = "NoConsoleError";
}

export function useConsole(): Console {
  const found = useContext(ConsoleContext);
  if (!found) throw new NoConsoleError("outside of the console");
  return found;
}

/** The fleet as of now; the component is drawn again when it changes, and every few seconds for what time alone changes. */
export function useFleet(): Live {
  const { live } = useConsole();
  const [, redraw] = useReducer((count: number) => count + 1, 0);
  useEffect(() => live.listen(() => redraw(undefined)), [live]);
  useEffect(() => {
    const timer = setInterval(() => redraw(undefined), 5000);
    return () => clearInterval(timer);
  }, []);
  return live;
}

export function useNews(listener: (news: News) => void): void {
  const { live } = useConsole();
  const current = useRef(listener);
  current.current = listener;
  useEffect(() => live.listenToNews((news) => current.current(news)), [live]);
}

export interface Loaded<T> {
  readonly data: T | undefined;
  readonly problem: string | undefined;
  readonly reload: () => void;
}

/** An answer of the server; asked for again when the path changes, or by `reload`. */
export function useLoaded<T>(path: string | undefined): Loaded<T> {
  const { api } = useConsole();
  const [state, setState] = useState<{ path?: string; data?: T; problem?: string }>({});
  const [count, reload] = useReducer((n: number) => n + 1, 0);
  // `count` asks for it again.
  useEffect(() => {
    if (path === undefined) return;
    let isCurrent = true;
    api.get<T>(path).then(
      (data) => isCurrent && setState({ path, data }),
      (error: unknown) => isCurrent && setState({ path, problem: problemOf(error) }),
    );
    return () => {
      isCurrent = false;
    };
  }, [api, path, count]);
  const isOfPath = state.path === path;
  return {
    data: isOfPath ? state.data : undefined,
    problem: isOfPath ? state.problem : undefined,
    reload: () => reload(undefined),
  };
}
