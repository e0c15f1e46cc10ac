/** A runtime that is not ready yet takes no calls, and tells whoever pings it so. */
import { afterEach, expect, it, vi } from 'vitest';
import type { RunningRuntime } from '../../src/cli/runtime-starter.ts';
import { MediaSupervisor } from '../../src/runtime/media-supervisor.ts';
import { startRuntime } from '../../src/runtime/runtime.ts';
import { freeBlock } from '../free-ports.ts';
import { headerOf } from '../sip/sip-text.ts';
import { finalResponseTo } from './final-response.ts';
import { testConfig } from './test-settings.ts';

const partsAreThere = Promise.withResolvers<void>();
let starting: Promise<RunningRuntime> | null = null;

afterEach(async () => {
  partsAreThere.resolve();
  vi.restoreAllMocks();
  await (await starting)?.stop();
});

it('answers OPTIONS like INVITE, with 503 and Retry-After, until it is ready', async () => {
  const sipIsUp = Promise.withResolvers<void>();
  const start = MediaSupervisor.start.bind(MediaSupervisor);
  vi.spyOn(MediaSupervisor, 'start').mockImplementation(async (options) => {
    sipIsUp.resolve();
    await partsAreThere.promise;
    return start(options);
  });
  const port = await freeBlock(1);
  const config = testConfig(`sip.port=${port}`, 'agent.mode=echo', 'limits.retryAfterSeconds=17');
  starting = startRuntime(config, {});
  await sipIsUp.promise;
  for (const method of ['OPTIONS', 'INVITE']) {
    const response = await finalResponseTo(method, port);
    expect(response).toMatch(/^SIP\/2\.0 503 /);
    expect(headerOf(response, 'Retry-After')).toBe('17');
  }
  partsAreThere.resolve();
  await starting;
  expect(await finalResponseTo('OPTIONS', port)).toMatch(/^SIP\/2\.0 200 /);
});
