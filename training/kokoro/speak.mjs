// Loads the packed speaker through kokoro-js, as the product does, and writes a WAV file.
// node training/kokoro/speak.mjs PACK_FOLDER OUT.wav "Text." [voice]
import { env } from "@huggingface/transformers";
import { KokoroTTS } from "kokoro-js";

const [packFolder, wavPath, text, voice = "af_heart"] = process.argv.slice(2);
env.allowRemoteModels = false;
env.localModelPath = `${packFolder}/`;
const speaker = await KokoroTTS.from_pretrained("kokoro", { dtype: "fp32", device: "cpu" });
const startMs = performance.now();
const speech = await speaker.generate(text, { voice });
console.log(`${speech.audio.length} samples at ${speech.sampling_rate} Hz in ${Math.round(performance.now() - startMs)} ms`);
await speech.save(wavPath);
