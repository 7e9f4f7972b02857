import assert from "node:assert/strict";
import { bounded } from "../../steps/bounded.ts";

Deno.test("a task beyond the limit waits for one to end, and all are done in the end", async () => {
  const tasks = bounded(2);
  const gates = [0, 1, 2].map(() => Promise.withResolvers<void>());
  const started: number[] = [];
  const add = (index: number) =>
    tasks.add(() => {
      started.push(index);
      return gates[index]?.promise ?? Promise.resolve();
    });
  await add(0);
  await add(1);
  const third = add(2);
  assert.deepEqual(started, [0, 1]);
  gates[1]?.resolve();
  await third;
  assert.deepEqual(started, [0, 1, 2]);
  gates[0]?.resolve();
  gates[2]?.resolve();
  await tasks.settle();
});

Deno.test("after a failure nothing is started, and the first failure is what is thrown", async () => {
  const tasks = bounded(2);
  await tasks.add(() => Promise.reject(new Error("first")));
  await assert.rejects(
    async () => {
      for (;;) {
        await tasks.add(() => {
          return Promise.reject(new Error("second"));
        });
      }
    },
    /first/,
  );
  await assert.rejects(tasks.settle(), /first/);
});
