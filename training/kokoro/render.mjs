// Speaks texts through the product's own path (text rules, engine, shaper, resampler), to 8 kHz Int16.
// node training/kokoro/render.mjs kokoro|piper FOLDER TEXTS.json OUT.raw
// TEXTS.json: [{"text", "voice"}]. Prints a JSON list of [samples, samples of speech, computed ms].
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { openKokoro } from '../../src/workers/tts/kokoro-model.ts';
import { openPiper } from '../../src/workers/tts/piper-model.ts';
import { SentenceSpeaker } from '../../src/workers/tts/sentence-speaker.ts';

const [engineName, folder, textsPath, outPath] = process.argv.slice(2);
const open = { kokoro: openKokoro, piper: openPiper }[engineName];
const engine = await open({ folder: resolve(folder), dtype: 'fp32', intraOpThreads: 1 });
const speaker = new SentenceSpeaker(engine, { voice: '', sentencePauseMs: 120 });
const parts = [];
const lengths = [];
for (const { text, voice } of JSON.parse(readFileSync(textsPath, 'utf8'))) {
  const result = await speaker.render({ kind: 'render', text, voice, speed: 1, rateHz: 8000, realTimeFactor: 0.01 });
  if (result.kind === 'failed') throw new Error(`${JSON.stringify(text)}: ${result.error.message}`);
  const { pcm, speechSamples } = result.rendered;
  parts.push(Buffer.from(pcm.buffer, pcm.byteOffset, pcm.byteLength));
  lengths.push([pcm.length, speechSamples, result.computeMs]);
}
writeFileSync(outPath, Buffer.concat(parts));
console.log(JSON.stringify(lengths));
await engine.close();
