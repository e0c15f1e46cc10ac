/**
 * llama.ttft.secondTurn: first token of a later turn when the call's KV cache is reused, against evaluating the whole
 * conversation again ("reprompt"), turn by turn in the same run. Settles: one sequence per call.
 * Run: node bench/llama/second-turn.bench.ts [rounds]
 */
import { BenchCall, median, startClient } from './dialogue.ts';

const rounds = Number(process.argv[2] ?? 12);
const TURNS = 8;
const client = await startClient();
const reused: number[][] = Array.from({ length: TURNS }, () => []);
const again: number[][] = Array.from({ length: TURNS }, () => []);
const promptTokens: number[] = [];
let callId = 0;
for (let round = 0; round < rounds; round += 1) {
  callId += 1;
  const call = new BenchCall(client, callId);
  for (let turn = 0; turn < TURNS; turn += 1) {
    callId += 1;
    const fresh = call.fork(callId);
    again[turn]!.push((await fresh.nextTurn()).firstTokenMs);
    await fresh.close();
    const finished = await call.nextTurn();
    reused[turn]!.push(finished.firstTokenMs);
    promptTokens[turn] = finished.promptTokens;
  }
  await call.close();
}
for (let turn = 0; turn < TURNS; turn += 1) {
  const [kept, all] = [median(reused[turn]!), median(again[turn]!)];
  console.log(
    `turn ${turn + 1}, ${promptTokens[turn]} tokens: reused ${kept.toFixed(2)} ms, reprompt ${all.toFixed(2)} ms`,
  );
}
const later = (turns: number[][]): number => median(turns.slice(1).flat());
console.log(`llama.ttft.secondTurn ${later(reused).toFixed(2)} ms (reprompt ${later(again).toFixed(2)} ms)`);
await client.close();
