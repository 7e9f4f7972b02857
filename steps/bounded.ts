/** Runs tasks side by side, at most a fixed number at once, and stops taking more after the first failure. */
export interface Bounded {
  /** Starts a task as soon as there is room; resolves when it was started. Throws the first failure of any task. */
  add(task: () => Promise<void>): Promise<void>;
  /** Resolves when every task has ended; throws the first failure. */
  settle(): Promise<void>;
}

/** Makes a {@linkcode Bounded} that runs at most `limit` tasks at once. */
export function bounded(limit: number): Bounded {
  const running = new Set<Promise<void>>();
  const failures: unknown[] = [];
  const check = () => {
    if (failures.length > 0) throw failures[0];
  };
  return {
    async add(task) {
      check();
      while (running.size >= limit) await Promise.race(running);
      check();
      const ended: Promise<void> = task()
        .catch((error) => void failures.push(error))
        .finally(() => running.delete(ended));
      running.add(ended);
    },
    async settle() {
      await Promise.all(running);
      check();
    },
  };
}
