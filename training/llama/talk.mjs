// Plays calls against the GGUF file through the product's own LlamaClient, the model's own replies in the history.
// node training/llama/talk.mjs MODEL.gguf [CALLS.json] [--json OUT.json]     (calls as llama.write_dialogues writes them)
import fs from "node:fs";
import { LlamaClient } from "../../src/workers/llama/llama-client.ts";

const GREETING = "Hello, this is the automatic assistant of the Harbour Kitchen. How can I help you?";
const SYSTEM_PROMPT = "You are the phone assistant of the Harbour Kitchen.";
const SHOWN_MISSES = 15;
const EXAMPLE = ["hello i would like to book a table", "on friday", "half past seven", "four", "do you have parking",
  "my name is smith", "no make it five people", "i meant eight", "yes that's right", "can you call me back",
  "four oh seven one two two nine", "yes", "no thanks goodbye"];

const args = process.argv.slice(2);
const jsonPath = args.includes("--json") ? args.splice(args.indexOf("--json"), 2)[1] : null;
const [modelPath, callsPath] = args;
const client = await LlamaClient.start({
  modelPath, sequences: 1, contextTokens: 1024, threads: 1, maxTokens: 80, temperature: 0, gpu: false, niceIncrement: 0,
});
const tally = new Map();
const timing = { tokens: 0, totalMs: 0, firstTokenMs: [] };
let shownMisses = 0;

const calls = callsPath ? JSON.parse(fs.readFileSync(callsPath, "utf8")) : [{ turns: EXAMPLE.map((caller) => ({ caller })) }];
for (const [index, call] of calls.entries()) await play(call.turns, index);
if (callsPath) report();
await client.close();

async function play(turns, index) {
  const messages = [{ role: "system", text: SYSTEM_PROMPT }, { role: "assistant", text: GREETING }];
  let isRightCall = true;
  let areFactsRight = true;
  for (const [number, turn] of turns.entries()) {
    messages.push({ role: "user", text: turn.caller });
    const reply = await generate(index, number, messages);
    messages.push({ role: "assistant", text: reply });
    if (turn.reply === undefined) {
      console.log(`caller: ${turn.caller}\nagent:  ${reply}`);
      continue;
    }
    const isRight = reply === turn.reply;
    for (const kind of kindsOf(turn)) count(kind, isRight);
    isRightCall &&= isRight;
    areFactsRight &&= isRight || turns[number + 1]?.kind !== "yes";
    if (!isRight && shownMisses++ < SHOWN_MISSES) console.log("miss", JSON.stringify({ caller: turn.caller, wanted: turn.reply, reply }));
  }
  count("calls", isRightCall);
  count("calls facts", areFactsRight);
  await client.closeConversation(index);
}

async function generate(callId, turnId, messages) {
  const startMs = performance.now();
  let firstMs = 0;
  let text = "";
  const cancel = new Int32Array(new SharedArrayBuffer(4));
  const finished = await client.generate({ callId, turnId: turnId + 1, messages, cancel }, (piece) => {
    firstMs ||= performance.now() - startMs;
    text += piece;
  });
  timing.totalMs += performance.now() - startMs;
  timing.firstTokenMs.push(firstMs);
  timing.tokens += finished.generatedTokens;
  return text.trim();
}

function kindsOf({ reply, kind, heldOut }) {
  const kinds = ["turns", heldOut ? "turns held out" : "turns seen", `kind ${kind}`];
  if (reply.startsWith("So that is")) kinds.push("confirmations");
  if (reply.startsWith("I have ")) kinds.push("readBacks");
  return kinds;
}

function count(kind, isRight) {
  const before = tally.get(kind) ?? { right: 0, of: 0 };
  tally.set(kind, { right: before.right + (isRight ? 1 : 0), of: before.of + 1 });
}

function report() {
  const kinds = Object.fromEntries([...tally].sort().map(([kind, { right, of }]) => [kind, { share: +(right / of).toFixed(4), right, of }]));
  const firstTokenMs = timing.firstTokenMs.sort((a, b) => a - b);
  const result = {
    model: modelPath, calls: calls.length, kinds,
    tokensPerSecond: Math.round(timing.tokens / (timing.totalMs / 1000)),
    firstTokenMsP50: +firstTokenMs[firstTokenMs.length >> 1].toFixed(1),
  };
  if (jsonPath) fs.writeFileSync(jsonPath, `${JSON.stringify(result, null, 1)}\n`);
  console.log(Object.entries(kinds).map(([kind, { share, of }]) => `${kind} ${share} (${of})`).join(", "));
  console.log(`${result.tokensPerSecond} tokens/s, first token ${result.firstTokenMsP50} ms (median)`);
}
