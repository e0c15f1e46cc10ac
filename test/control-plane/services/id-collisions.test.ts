/** Ids of one box that claim one port are told of, once for as long as they go on. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DEFAULT_CONFIG } from '../../../src/config/key-paths.ts';
import type { ControlContext, ControlSettings } from '../../../src/control-plane/control-context.ts';
import { IdCollisions } from '../../../src/control-plane/services/id-collisions.ts';
import type { SpeakingParts } from '../../../src/control-plane/services/speaking-call.ts';
import { SpeakingService } from '../../../src/control-plane/services/speaking-service.ts';

const REMEMBERED_MS = 600_000;

describe('colliding ids', () => {
  const counted: string[] = [];
  const errors: string[] = [];

  function contextWith(change: Partial<ControlSettings>): Pick<ControlContext, 'settings' | 'count' | 'log'> {
    return {
      settings: { ...DEFAULT_CONFIG.control, ...change },
      count: (reason) => counted.push(reason),
      log: { debug() {}, info() {}, warn() {}, error: (_fields, message) => errors.push(message) },
    };
  }

  function collisions(change: Partial<ControlSettings> = {}): IdCollisions {
    return new IdCollisions(contextWith(change));
  }

  beforeEach(() => {
    counted.length = 0;
    errors.length = 0;
    vi.useFakeTimers({ toFake: ['hrtime'] });
  });

  afterEach(() => void vi.useRealTimers());

  it('are told of once, however often one of them comes back', () => {
    const watch = collisions();
    watch.begin(111, '127.0.0.1');
    for (let attempt = 0; attempt < 5; attempt++) {
      watch.begin(112, '127.0.0.1');
      watch.end(112);
      vi.advanceTimersByTime(REMEMBERED_MS);
    }
    expect(errors).toEqual([expect.stringContaining('calls 111 and 112 claim one port, 9113')]);
    expect(counted).toEqual(['idCollision']);
  });

  it('are told of again when they come back after a while', () => {
    const watch = collisions();
    watch.begin(111, '127.0.0.1');
    watch.begin(112, '127.0.0.1');
    watch.end(112);
    vi.advanceTimersByTime(REMEMBERED_MS + 1);
    watch.begin(112, '127.0.0.1');
    expect(errors).toHaveLength(2);
  });

  it.each([
    ['both on this box', '127.0.0.1', '::1', 1],
    ['both on another', '192.0.2.1', '::ffff:192.0.2.1', 1],
    ['one here, one there', '127.0.0.1', '192.0.2.1', 0],
    ['on two others', '192.0.2.1', '192.0.2.2', 0],
  ])('%s', (_name, one, other, expected) => {
    const watch = collisions();
    watch.begin(111, one);
    watch.begin(112, other);
    expect(errors).toHaveLength(expected);
  });

  it('are as far apart as the port bases', () => {
    const watch = collisions({ inboundPortBase: 9001, outboundPortBase: 9006 });
    watch.begin(110, '127.0.0.1');
    watch.begin(111, '127.0.0.1');
    expect(errors).toEqual([]);
    watch.begin(105, '127.0.0.1');
    expect(errors).toEqual([expect.stringContaining('calls 110 and 105 claim one port, 9111')]);
  });

  it('are told of by the tts role, too', async () => {
    const { count, log, settings } = contextWith({});
    const context = { count, log, settings } as ControlContext;
    const service = new SpeakingService({ context } as SpeakingParts);
    service.register(111, '127.0.0.1');
    service.register(112, '127.0.0.1');
    service.register(112, '127.0.0.1');
    service.bye(112);
    service.register(112, '127.0.0.1');
    expect(errors).toEqual([expect.stringContaining('steps of two')]);
    await service.close();
  });

  it('are none once the other has ended', () => {
    const watch = collisions();
    watch.begin(111, '127.0.0.1');
    watch.end(111);
    watch.begin(112, '127.0.0.1');
    expect(errors).toEqual([]);
  });
});
