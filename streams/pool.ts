/**
 * A pool of workers for what is too heavy for the main thread: compressing, and sealing and opening age chunks.
 *
 * Buffers are handed over, never copied, and come back with the result. Works in a compiled program when it was
 * built with `--include streams/worker.ts`.
 */
import { CairnError } from "../errors.ts";
import type { Piece, Reply, Request, Task } from "./task.ts";

/** How many workers there may be: more only cost memory (measured: 15–19 MB each). */
const MAX_WORKERS = 4;
/** Tasks given to a worker at a time: the second waits there, so that the worker never idles. */
const DEPTH = 2;

/** A pool of workers. Disposing it ends the workers; tasks that are still open are rejected. */
export interface Pool extends AsyncDisposable {
  /** How many workers there may be. */
  readonly workers: number;
  /**
   * Does one task in a worker. The buffers of `input` and `output` belong to the pool until it resolves;
   * `output` may be left out, then the worker makes one. When it rejects the buffers are lost.
   *
   * Throws `verification` when the bytes given are damaged, `internal` when a worker fails.
   */
  run(task: Task, input: Piece, output?: ArrayBuffer): Promise<{ output: Piece; spent: ArrayBuffer }>;
}

interface Job {
  readonly request: Request;
  readonly resolve: (done: { output: Piece; spent: ArrayBuffer }) => void;
  readonly reject: (cause: unknown) => void;
}

interface Member {
  readonly worker: Worker;
  readonly jobs: Map<number, Job>;
}

/**
 * Makes a pool, by default with a worker for each processor, but at least two and at most four. Each is started when
 * there is work for it: a start holds up the main thread for 20–30 ms.
 */
export function createPool(options: { readonly workers?: number } = {}): Pool {
  const count = options.workers ?? Math.min(MAX_WORKERS, Math.max(2, navigator.hardwareConcurrency));
  // Sealing and opening go first: they are what frees buffers.
  const urgent: Job[] = [];
  const waiting: Job[] = [];
  let closed: CairnError | undefined;
  let nextId = 1;
  const members: Member[] = [];

  function startMember(): Member {
    const worker = new Worker(import.meta.resolve("./worker.ts"), { type: "module" });
    const member: Member = { worker, jobs: new Map() };
    worker.onmessage = (event: MessageEvent<Reply>) => {
      settle(member, event.data);
      dispatch();
    };
    worker.onmessageerror = () => close(new CairnError("internal", "a worker's answer could not be read"));
    worker.onerror = (event) => {
      event.preventDefault();
      close(new CairnError("internal", `a worker failed: ${event.message}`));
    };
    return member;
  }

  function settle(member: Member, reply: Reply): void {
    const job = member.jobs.get(reply.id);
    member.jobs.delete(reply.id);
    if ("output" in reply) job?.resolve({ output: reply.output, spent: reply.spent });
    else job?.reject(new CairnError(reply.damage ? "verification" : "internal", reply.error));
  }

  /** The one with the least to do, or another one as long as all have something and there may be more. */
  function leastBusy(): Member {
    const [first, ...others] = members;
    const least = first &&
      others.reduce((least, other) => other.jobs.size < least.jobs.size ? other : least, first);
    if (least && (least.jobs.size === 0 || members.length === count)) return least;
    const started = startMember();
    members.push(started);
    return started;
  }

  function dispatch(): void {
    while (urgent.length + waiting.length > 0) {
      const member = leastBusy();
      if (member.jobs.size >= DEPTH) return;
      const job = urgent.shift() ?? waiting.shift();
      if (job === undefined) return;
      const { input, output } = job.request;
      member.jobs.set(job.request.id, job);
      member.worker.postMessage(job.request, output ? [input.buffer, output] : [input.buffer]);
    }
  }

  function close(reason: CairnError): void {
    if (closed) return;
    closed = reason;
    for (const { worker, jobs } of members) {
      worker.terminate();
      for (const job of jobs.values()) job.reject(reason);
      jobs.clear();
    }
    for (const job of [...urgent.splice(0), ...waiting.splice(0)]) job.reject(reason);
  }

  return {
    workers: count,
    run(task, input, output) {
      if (closed) return Promise.reject(closed);
      return new Promise((resolve, reject) => {
        const queue = task.kind === "seal" || task.kind === "open" ? urgent : waiting;
        queue.push({ request: { id: nextId++, task, input, output }, resolve, reject });
        dispatch();
      });
    },
    [Symbol.asyncDispose]() {
      close(new CairnError("interrupted", "the worker pool was closed"));
      return Promise.resolve();
    },
  };
}
