/**
 * llama.tokensPerSecond.8: eight calls talking at once in one context, against the same turns one call after another.
 * Settles: many sequences in one context, batched by the library.
 * Run: node bench/llama/concurrent.bench.ts [rounds]
 */
import { BenchCall, median, startClient } from './dialogue.ts';

const rounds = Number(process.argv[2] ?? 5);
const CALLS = 8;
const TURNS = 6;
const client = await startClient({ sequences: CALLS });
const serial: number[] = [];
const together: number[] = [];
const firstTokenMs: number[] = [];
let callId = 0;

function newCalls(): BenchCall[] {
  return Array.from({ length: CALLS }, () => {
    callId += 1;
    return new BenchCall(client, callId);
  });
}

/** @returns generated tokens per second over all calls. */
async function talk(isTogether: boolean): Promise<number> {
  const calls = newCalls();
  const startMs = performance.now();
  let tokens = 0;
  const talkThrough = async (call: BenchCall): Promise<void> => {
    for (let turn = 0; turn < TURNS; turn += 1) {
      const finished = await call.nextTurn();
      tokens += finished.generatedTokens;
      if (isTogether) firstTokenMs.push(finished.firstTokenMs);
    }
  };
  if (isTogether) await Promise.all(calls.map(talkThrough));
  else for (const call of calls) await talkThrough(call);
  const seconds = (performance.now() - startMs) / 1000;
  await Promise.all(calls.map((call) => call.close()));
  return tokens / seconds;
}

for (let round = 0; round < rounds; round += 1) {
  serial.push(await talk(false));
  together.push(await talk(true));
}
console.log(`llama.tokensPerSecond.8 ${median(together).toFixed(0)} (serial ${median(serial).toFixed(0)})`);
console.log(`llama.ttft.8 ${median(firstTokenMs).toFixed(2)} ms`);
await client.close();
