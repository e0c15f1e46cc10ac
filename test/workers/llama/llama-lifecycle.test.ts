/** Starting, dying, being replaced and ending, on real weights and real threads. */
import { existsSync } from 'node:fs';
import { copyFile, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { REPOSITORY_ROOT } from '../../architecture/source-files.ts';
import { Dialogue, LONG_REPLIES, NO_MODEL_REASON, startClient, TEST_MODEL_PATH } from './test-model.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wildfire-llama-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

describe.skipIf(TEST_MODEL_PATH === null || process.platform !== 'linux')(
  `a GPU whose binaries are not installed${NO_MODEL_REASON}`,
  () => {
    for (const gpu of ['cuda', 'vulkan'] as const) {
      const binaries = join(REPOSITORY_ROOT, `node_modules/@node-llama-cpp/linux-${process.arch}-${gpu}`);
      it.skipIf(existsSync(binaries))(`is told with the command that fetches them: ${gpu}`, async () => {
        await expect(startClient({ gpu })).rejects.toThrow(`./wildfire gpu install --backend ${gpu}`);
      });
    }
  },
);

describe('a model file that is not there or damaged', () => {
  it('is named', async () => {
    const modelPath = join(folder, 'missing.gguf');
    await expect(startClient({ modelPath })).rejects.toMatchObject({
      code: 'MODEL_MISSING',
      message: expect.stringContaining(modelPath),
    });
  });

  it('is named when it is something else', async () => {
    const modelPath = join(folder, 'text.gguf');
    await writeFile(modelPath, 'version https://git-lfs.github.com/spec/v1\n');
    await expect(startClient({ modelPath })).rejects.toMatchObject({
      code: 'MODEL_DAMAGED',
      message: expect.stringContaining(modelPath),
    });
  });

  it.skipIf(TEST_MODEL_PATH === null).each([0.02, 0.5, 0.99])(
    `is named when only %f of it is there${NO_MODEL_REASON}`,
    async (share) => {
      const modelPath = join(folder, 'cut.gguf');
      await copyFile(TEST_MODEL_PATH ?? '', modelPath);
      const file = await open(modelPath, 'r+');
      await file.truncate(Math.floor((await file.stat()).size * share));
      await file.close();
      await expect(startClient({ modelPath })).rejects.toMatchObject({
        code: 'MODEL_DAMAGED',
        message: expect.stringContaining(modelPath),
      });
    },
  );
});

describe.skipIf(TEST_MODEL_PATH === null)(`the llama thread${NO_MODEL_REASON}`, () => {
  it('is replaced when it dies, and the reply goes on where it was', async () => {
    const died: string[] = [];
    const client = await startClient({ allowFaults: true, onWorkerDied: (message) => died.push(message) });
    const [call, other] = [new Dialogue(client, 1), new Dialogue(client, 2)];
    const { text: undisturbed } = await other.say('hello i would like to book a table');
    const both = Promise.all([
      call.say('hello i would like to book a table', { exitAfterTokens: 5 }),
      other.say('on friday'),
    ]);
    const [{ text, finished }, { finished: otherFinished }] = await both;
    expect(text).toBe(undisturbed);
    expect(finished.reason).toBe('stop');
    expect(otherFinished.reason).toBe('stop');
    expect(died).toHaveLength(1);
    expect((await call.say('on friday')).text).toContain('friday');
    await client.closeConversation(1);
    await client.close();
  });

  it('cannot be killed by a request in production', async () => {
    const died: string[] = [];
    const client = await startClient({ onWorkerDied: (message) => died.push(message) });
    const { finished } = await new Dialogue(client, 1).say('hello', { exitAfterTokens: 2 });
    expect(finished.reason).toBe('stop');
    expect(died).toEqual([]);
    await client.close();
  });

  it('ends a reply that is cancelled in the middle', async () => {
    const client = await startClient(LONG_REPLIES);
    const call = new Dialogue(client, 1);
    const { finished } = await call.say('hello i would like to book a table', {
      onText: () => Atomics.store(call.cancel, 0, call.turnId),
    });
    expect(finished.reason).toBe('cancelled');
    expect((await call.say('on friday')).finished.reason).not.toBe('cancelled');
    await client.close();
  });

  it('ends a reply and itself when closed in the middle', async () => {
    const client = await startClient(LONG_REPLIES);
    const call = new Dialogue(client, 1);
    let closing = Promise.resolve();
    const { finished } = await call.say('hello i would like to book a table', {
      onText: () => {
        closing = client.close();
      },
    });
    await closing;
    expect(finished.reason).toBe('cancelled');
    await expect(call.say('hello')).rejects.toMatchObject({ code: 'INVALID_STATE' });
  });

  it('starts and ends again and again in one process', async () => {
    for (let cycle = 0; cycle < 5; cycle += 1) {
      const client = await startClient({ sequences: 2 });
      const { text } = await new Dialogue(client, 1).say('hello');
      expect(text).not.toBe('');
      await client.close();
    }
  }, 60_000);

  it('shares calls out over replicas and keeps a call where its words are', async () => {
    const client = await startClient({ replicas: 2, sequences: 1 });
    const [one, other] = [new Dialogue(client, 1), new Dialogue(client, 2)];
    await Promise.all([one.say('hello'), other.say('hello')]);
    const [second] = await Promise.all([one.say('on friday'), other.say('on friday')]);
    expect(second.finished.reusedTokens).toBeGreaterThan(20);
    await client.close();
  });

  it('draws replies from the model when the temperature says so, the same ones with the same seed', async () => {
    const say = async (seed: number) => {
      const client = await startClient({ temperature: 1.5, topP: 1, topK: 0, repeatPenalty: 1.1, seed });
      const { text } = await new Dialogue(client, 1).say('hello i would like to book a table');
      await client.close();
      return text;
    };
    expect(await say(7)).toBe(await say(7));
  });

  it.each([
    ['no template', 'tokenizer.chat_template', 'tokenizer.chat_templatX', 'ChatML'],
    ['a template of its own', "'<|im_end|>' + '\n'", "'<|im_end|>' + ' '", 'JinjaTemplate'],
  ])('lays out the prompt for a model with %s', async (_name, from, to, chatTemplate) => {
    const modelPath = join(folder, 'patched.gguf');
    const bytes = await readFile(TEST_MODEL_PATH ?? '');
    const at = bytes.indexOf(from);
    expect(at).toBeGreaterThan(0);
    bytes.write(to, at);
    await writeFile(modelPath, bytes);
    const client = await startClient({ modelPath });
    expect(client.backends[0]?.chatTemplate).toBe(chatTemplate);
    const call = new Dialogue(client, 1);
    expect((await call.say('hello i would like to book a table')).text).not.toBe('');
    const { finished, text } = await call.say('on friday');
    expect(text).not.toMatch(/im_|<\|/);
    expect(finished.reusedTokens).toBeGreaterThan(30);
    await client.close();
  });
});
