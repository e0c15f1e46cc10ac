import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { VadClient, type VadEvent } from '../../../src/workers/vad/vad-client.ts';
import { voicedBurst, whiteNoise } from './synthetic-audio.ts';
import { TapeFeeder } from './tape-feeder.ts';

const RATE_HZ = 8000;
const clients: VadClient[] = [];

async function start(options: Partial<Parameters<typeof VadClient.start>[0]> = {}): Promise<VadClient> {
  const client = await VadClient.start({ model: 'energy', maxStreams: 8, ...options });
  clients.push(client);
  return client;
}

afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
});

/** Resolves with the next `count` events. */
function nextEvents(client: VadClient, count: number): Promise<VadEvent[]> {
  const events: VadEvent[] = [];
  return new Promise((resolve) => {
    client.onEvent((event) => {
      events.push(event);
      if (events.length === count) resolve(events);
    });
  });
}

/** 500 ms of noise, 400 ms of voice, 500 ms of noise, written frame by frame in real time or at once. */
const SCENE = [whiteNoise(4000, -60, 1), voicedBurst(3200, -20, 2), whiteNoise(4000, -60, 3)];

function feedAtOnce(feeder: TapeFeeder): void {
  for (const part of SCENE) feeder.write(part);
}

describe('the VAD thread', () => {
  test('reports where speech began and ended, in tape positions, across the wrap', async () => {
    const client = await start();
    for (const startPosition of [0, 2 ** 32 - 5000]) {
      const feeder = new TapeFeeder(startPosition);
      await client.watch(7, feeder.handle);
      const events = nextEvents(client, 2);
      feedAtOnce(feeder);
      const [started, stopped] = (await events) as [VadEvent, VadEvent];
      expect(started).toMatchObject({ kind: 'speechStarted', callId: 7 });
      expect(stopped).toMatchObject({ kind: 'speechStopped', callId: 7 });
      const onsetMs = (((started.atSample - startPosition) >>> 0) - 4000) / 8;
      const endMs = (((stopped.atSample - startPosition) >>> 0) - 7200) / 8;
      expect(Math.abs(onsetMs)).toBeLessThanOrEqual(40);
      expect(Math.abs(endMs)).toBeLessThanOrEqual(60);
      await client.unwatch(7);
    }
  });

  test('keeps calls apart', async () => {
    const client = await start();
    const feeders = [1, 2, 3].map(() => new TapeFeeder());
    for (const [index, feeder] of feeders.entries()) await client.watch(index, feeder.handle);
    const events = nextEvents(client, 2);
    feedAtOnce(feeders[1]!);
    feeders[0]!.write(whiteNoise(9000, -40, 5));
    expect((await events).map(({ callId }) => callId)).toEqual([1, 1]);
    expect(await client.snapshot()).toMatchObject({ streams: 3, laps: 0 });
  });

  test('says nothing of a call after unwatch, and of a tape before watch', async () => {
    const client = await start();
    const feeder = new TapeFeeder();
    feedAtOnce(feeder);
    const seen: VadEvent[] = [];
    client.onEvent((event) => seen.push(event));
    await client.watch(1, feeder.handle);
    await client.unwatch(1);
    feedAtOnce(feeder);
    await sleep(80);
    expect(seen).toEqual([]);
    expect((await client.snapshot()).streams).toBe(0);
  });

  test('a tape that ran away is caught up with and counted', async () => {
    const client = await start();
    const feeder = new TapeFeeder(0, RATE_HZ, 4096);
    await client.watch(1, feeder.handle);
    feeder.write(whiteNoise(40_000, -60, 1));
    await expect.poll(async () => (await client.snapshot()).laps).toBe(1);
    const events = nextEvents(client, 1);
    for (let i = 0; i < 25; i += 1) {
      feeder.write(whiteNoise(160, -60, i));
      await sleep(2);
    }
    feeder.write(voicedBurst(2000, -20, 2));
    expect((await events)[0]!.kind).toBe('speechStarted');
  });

  test('refuses a call too many and takes it once there is room', async () => {
    const client = await start({ maxStreams: 1 });
    await client.watch(1, new TapeFeeder().handle);
    await expect(client.watch(2, new TapeFeeder().handle)).rejects.toMatchObject({
      code: 'ADMISSION_REFUSED',
    });
    await client.unwatch(1);
    await client.watch(2, new TapeFeeder().handle);
  });

  test('calls of another rate are served too', async () => {
    const client = await start();
    const feeder = new TapeFeeder(0, 16_000);
    await client.watch(1, feeder.handle);
    const events = nextEvents(client, 1);
    feeder.write(whiteNoise(8000, -60, 1));
    feeder.write(voicedBurst(8000, -20, 2, 16_000));
    expect((await events)[0]!.kind).toBe('speechStarted');
  });

  test('is replaced when it dies: open speech is ended, and the calls are watched again', async () => {
    const client = await start({ allowFaults: true });
    const deaths: string[] = [];
    client.onDied((message) => deaths.push(message));
    const feeder = new TapeFeeder();
    await client.watch(1, feeder.handle);
    const seen: VadEvent[] = [];
    client.onEvent((event) => seen.push(event));
    feeder.write(whiteNoise(4000, -60, 1));
    feeder.write(voicedBurst(4000, -20, 1));
    await expect.poll(() => seen.length).toBe(1);
    client.injectDeath();
    await expect.poll(() => seen.length).toBe(2);
    expect(seen[1]!.kind).toBe('speechStopped');
    expect(deaths).toHaveLength(1);
    await expect.poll(async () => (await client.snapshot().catch(() => null))?.streams).toBe(1);
    feedAtOnce(feeder);
    await expect.poll(() => seen.length).toBe(4);
  });

  test('closes while ticking, twice, and takes no more calls', async () => {
    const client = await start();
    await client.watch(1, new TapeFeeder().handle);
    await Promise.all([client.close(), client.close()]);
    await expect(client.watch(2, new TapeFeeder().handle)).rejects.toMatchObject({ code: 'INVALID_STATE' });
    await client.unwatch(1);
  });

  test('a Silero model that is not there is named', async () => {
    const start = VadClient.start({ model: 'silero', sileroPath: '/no/such/silero.onnx' });
    await expect(start).rejects.toMatchObject({
      code: 'MODEL_MISSING',
      message: expect.stringContaining('/no/such'),
    });
  });
});
