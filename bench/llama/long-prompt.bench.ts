/**
 * llama.tokenGap: how long a talking call waits for its next token while another call's long prompt is evaluated, by
 * the time a piece of the prompt may take (prefillPieceMs). Settles: the default of 40 ms.
 * Run: node bench/llama/long-prompt.bench.ts [prompts]
 */
import type { ChatMessage } from '../../src/workers/protocol.ts';
import { BenchCall, benchPack, median, startClient } from './dialogue.ts';

const prompts = Number(process.argv[2] ?? 8);
const pack = await benchPack('embedded');
const cancel = new Int32Array(new SharedArrayBuffer(4));
const history = Array.from({ length: 26 }, (_, index): ChatMessage => {
  const isCaller = index % 2 === 0;
  return isCaller
    ? { role: 'user', text: ` half past seven please, that is number ${index}` }
    : { role: 'assistant', text: 'Okay, at seven thirty. For how many people would you like the table?' };
});
const messages: ChatMessage[] = [...history, { role: 'user', text: ' hello' }];

for (const prefillPieceMs of [1000, 80, 40, 20, 10]) {
  const client = await startClient(pack, { prefillPieceMs });
  const gapsMs: number[] = [];
  const firstTokenMs: number[] = [];
  let isPrompting = true;
  const talking = (async () => {
    for (let callId = 1; isPrompting; callId += 1) {
      const call = new BenchCall(client, callId);
      let lastMs: number | null = null;
      await call.nextTurn(() => {
        const nowMs = performance.now();
        if (lastMs !== null) gapsMs.push(nowMs - lastMs);
        lastMs = nowMs;
      });
      await call.close();
    }
  })();
  for (let index = 0; index < prompts; index += 1) {
    const callId = 100_000 + index;
    const finished = await client.generate({ callId, turnId: 1, messages, cancel }, () => {});
    firstTokenMs.push(finished.firstTokenMs);
    await client.closeConversation(callId);
  }
  isPrompting = false;
  await talking;
  console.log(
    `pieces of ${prefillPieceMs} ms: llama.tokenGap median ${median(gapsMs).toFixed(2)} ms, ` +
      `longest ${Math.max(...gapsMs).toFixed(1)} ms; first token of the long prompt ${median(firstTokenMs).toFixed(1)} ms`,
  );
  await client.close();
}
