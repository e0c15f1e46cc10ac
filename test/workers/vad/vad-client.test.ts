import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { VadClient, type VadEvent, type VadSnapshot } from '../../../src/workers/vad/vad-client.ts';
import { voicedBurst, whiteNoise } from './synthetic-audio.ts';
import { TapeFeeder } from './tape-feeder.ts';
import { tinyVadOnnx } from './tiny-onnx.ts';

const RATE_HZ = 8000;
/** Of the energy model. */
const FRAME_SAMPLES = 160;
const clients: VadClient[] = [];

async function start(options: Partial<Parameters<typeof VadClient.start>[0]> = {}): Promise<VadClient> {
  const client = await VadClient.start({ model: 'energy', maxStreams: 8, ...options });
  clients.push(client);
  return client;
}

afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
});

/** Resolves when the thread's counters are as wanted; asks again as soon as it has answered. */
async function until(client: VadClient, isWanted: (snapshot: VadSnapshot) => boolean): Promise<void> {
  while (!isWanted(await client.snapshot())) await sleep(5);
}

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

/** Ends the thread; resolves when the client knows. */
async function die(client: VadClient): Promise<void> {
  const died = new Promise<void>((resolve) => client.onDied(() => resolve()));
  client.injectDeath();
  await died;
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
    await until(client, ({ laps }) => laps === 1);
    const events = nextEvents(client, 1);
    // No more at once than the tape holds, however late the thread is.
    for (const part of [whiteNoise(2000, -60, 1), whiteNoise(2000, -60, 2), voicedBurst(2000, -20, 2)]) {
      const { frames } = await client.snapshot();
      feeder.write(part);
      await until(client, (snapshot) => snapshot.frames >= frames + Math.floor(part.length / FRAME_SAMPLES));
    }
    expect((await events)[0]!.kind).toBe('speechStarted');
    expect((await client.snapshot()).laps).toBe(1);
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
    const feeder = new TapeFeeder();
    await client.watch(1, feeder.handle);
    const started = nextEvents(client, 1);
    feeder.write(whiteNoise(4000, -60, 1));
    feeder.write(voicedBurst(4000, -20, 1));
    await started;
    const stopped = nextEvents(client, 1);
    await die(client);
    expect((await stopped)[0]!.kind).toBe('speechStopped');
    await client.running();
    expect((await client.snapshot()).streams).toBe(1);
    const events = nextEvents(client, 2);
    feedAtOnce(feeder);
    expect((await events).map(({ kind }) => kind)).toEqual(['speechStarted', 'speechStopped']);
  });

  test('is replaced however often it dies; a call that comes meanwhile waits, one that leaves does not', async () => {
    const client = await start({ allowFaults: true });
    await client.watch(0, new TapeFeeder().handle);
    for (let death = 1; death <= 7; death += 1) {
      await die(client);
      await client.unwatch(death - 1);
      await client.watch(death, new TapeFeeder().handle);
      expect((await client.snapshot()).streams).toBe(1);
    }
  }, 30_000);

  test('refuses a call while none can be started, and tries again while it has calls', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'wildfire-vad-'));
    const sileroPath = join(folder, 'tiny.onnx');
    writeFileSync(sileroPath, tinyVadOnnx());
    try {
      const client = await start({ model: 'silero', sileroPath, allowFaults: true });
      const deaths: string[] = [];
      client.onDied((message) => deaths.push(message));
      await client.watch(1, new TapeFeeder().handle);
      rmSync(sileroPath);
      await die(client);
      const lost = { code: 'WORKER_DIED', retryable: true, message: expect.stringContaining(sileroPath) };
      await expect(client.watch(2, new TapeFeeder().handle)).rejects.toMatchObject(lost);
      expect(deaths).toHaveLength(2);
      writeFileSync(sileroPath, tinyVadOnnx());
      await client.running();
      expect((await client.snapshot()).streams).toBe(1);
    } finally {
      rmSync(folder, { recursive: true });
    }
  }, 30_000);

  test('closes while it waits to be replaced', async () => {
    const client = await start({ allowFaults: true });
    await die(client);
    await client.running();
    await die(client);
    const waiting = client.watch(1, new TapeFeeder().handle);
    await Promise.all([expect(waiting).rejects.toMatchObject({ code: 'INVALID_STATE' }), client.close()]);
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
