// Plays dialogues against the GGUF file through node-llama-cpp, the model's own replies in the history.
// node training/llama/talk.mjs MODEL.gguf [DIALOGUES.json]   (a list of lists of [caller, wanted reply])
import fs from "node:fs";
import { LlamaChatSession, getLlama } from "node-llama-cpp";

const GREETING = "Hello, this is the automatic assistant of the Harbour Kitchen. How can I help you?";
const SYSTEM_PROMPT = "You are the phone assistant of the Harbour Kitchen.";
const SHOWN_MISSES = 12;
const [modelPath, dialoguesPath] = process.argv.slice(2);
const example = ["hello i would like to book a table", "on friday", "half past seven", "four", "do you have parking", "",
  "my name is smith", "no make it five people", "i meant eight", "yes that's right", "can you call me back",
  "four oh seven one two two nine", "yes", "no thanks goodbye"];

const llama = await getLlama({ gpu: false, build: "never", logLevel: "warn" });
const model = await llama.loadModel({ modelPath });
const context = await model.createContext({ contextSize: 1024, threads: 1 });
const sequence = context.getSequence();
const tally = { turns: 0, right: 0, dialogues: 0, rightDialogues: 0, tokens: 0, totalMs: 0, firstTokenMs: 0 };
let shownMisses = 0;

const dialogues = dialoguesPath ? JSON.parse(fs.readFileSync(dialoguesPath, "utf8")) : [example.map((text) => [text, null])];
for (const [index, dialogue] of dialogues.entries()) await play(dialogue, index % 2 === 0);
if (dialoguesPath) report();
process.exit(0);

async function play(turns, isGreeted) {
  await sequence.clearHistory();
  const session = new LlamaChatSession({ contextSequence: sequence, systemPrompt: SYSTEM_PROMPT });
  if (isGreeted) session.setChatHistory([...session.getChatHistory(), { type: "model", response: [GREETING] }]);
  if (!dialoguesPath) console.log("wrapper:", session.chatWrapper.wrapperName);
  let allRight = true;
  for (const [caller, wanted] of turns) {
    const reply = await prompt(session, caller);
    if (wanted === null) console.log(`caller: ${caller}\nagent:  ${reply}`);
    const isRight = reply === wanted;
    tally.turns += 1;
    tally.right += isRight ? 1 : 0;
    allRight &&= isRight;
    if (wanted !== null && !isRight && shownMisses++ < SHOWN_MISSES) console.log("miss", JSON.stringify({ caller, wanted, reply }));
  }
  tally.dialogues += 1;
  tally.rightDialogues += allRight ? 1 : 0;
  session.dispose({ disposeSequence: false });
}

async function prompt(session, caller) {
  const startMs = performance.now();
  let firstMs = 0;
  const onTextChunk = () => {
    firstMs ||= performance.now() - startMs;
  };
  const reply = (await session.prompt(caller, { temperature: 0, maxTokens: 80, onTextChunk })).trim();
  tally.totalMs += performance.now() - startMs;
  tally.firstTokenMs += firstMs;
  tally.tokens += model.tokenize(reply).length;
  return reply;
}

function report() {
  console.log(JSON.stringify({
    turns: tally.turns, turnsRight: +(tally.right / tally.turns).toFixed(4),
    dialogues: tally.dialogues, dialoguesRight: +(tally.rightDialogues / tally.dialogues).toFixed(4),
    tokensPerSecond: Math.round(tally.tokens / (tally.totalMs / 1000)), firstTokenMs: +(tally.firstTokenMs / tally.turns).toFixed(1),
  }));
}
