/** What a test has started and has to end: closed after each test, the last one first. */
import { afterEach } from 'vitest';

export interface Closers {
  /** Registers something that is closed or stopped after the test. */
  add<T extends { close(): Promise<unknown> } | { stop(): Promise<unknown> }>(thing: T): T;
}

export function closersAfterEach(): Closers {
  const closers: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) await close();
  });
  return {
    add(thing) {
      closers.push(() => ('close' in thing ? thing.close() : thing.stop()));
      return thing;
    },
  };
}
