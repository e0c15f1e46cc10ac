/**
 * manifest.json of a model pack: which files it has, which model serves which stage, how the agent introduces
 * itself. Thread: any; pure. The shape is documented in README.md.
 */
import { z } from 'zod';

/** A path inside the pack: relative, forward slashes, never upwards. */
const packPath = z
  .string()
  .regex(/^[\w.-]+(\/[\w.-]+)*$/, 'must be a relative path of letters, digits, . _ - and /')
  .refine((path) => !path.split('/').includes('..'), 'must stay inside the pack');

const dtype = z.enum(['fp32', 'fp16', 'q8', 'int8', 'uint8', 'q4', 'q4f16', 'bnb4']);

/** Thresholds of the guards against text over silence that differ for this model; see workers/whisper/guards.ts. */
const whisperGuards = z.strictObject({
  silenceDbfs: z.number().optional(),
  noSpeechCertain: z.number().optional(),
  noSpeechLikely: z.number().optional(),
  unsureLogProbability: z.number().optional(),
  minMeanLogProbability: z.number().optional(),
  loopTokens: z.number().optional(),
  loopTurns: z.number().optional(),
});

/** How hard it looks for a better text when it is unsure; see workers/whisper/beam-search.ts. */
const whisperSearch = z.strictObject({
  beams: z.int().min(1).max(16).optional(),
  unsureLogProbability: z.number().optional(),
});

const whisper = z.object({
  engine: z.literal('whisper'),
  folder: packPath,
  /** One for both halves of the model, or one for each. */
  dtype: z.union([dtype, z.strictObject({ encoder: dtype, decoder: dtype })]),
  language: z.string().optional(),
  /** 'utterance' when the model was trained on windows as short as the utterance. */
  window: z.enum(['full', 'utterance']).default('full'),
  guards: whisperGuards.optional(),
  search: whisperSearch.optional(),
});

const llama = z.object({
  engine: z.literal('llama'),
  file: packPath,
  temperature: z.number().min(0).max(2).default(0),
});

const tts = z.object({
  engine: z.enum(['kokoro', 'piper']),
  folder: packPath,
  dtype: dtype.default('fp32'),
  voice: z.string(),
  speed: z.number().positive().default(1),
});

const agent = z.object({
  systemPrompt: z.string(),
  greeting: z.string(),
  apology: z.string(),
  noInputPrompt: z.string(),
  goodbye: z.string(),
  language: z.string().default('en'),
});

const file = z.object({
  path: packPath,
  bytes: z.int().nonnegative(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 hexadecimal digits'),
});

export const manifestSchema = z.object({
  schemaVersion: z.literal(1),
  name: z.string().regex(/^[\w.-]+$/, 'must be letters, digits, . _ and -'),
  version: z.string(),
  licence: z.string(),
  description: z.string().default(''),
  /** 'random': made up for timing; what such models say means nothing. */
  weights: z.enum(['trained', 'random']).default('trained'),
  agent,
  stages: z.object({ whisper, llama, tts }),
  files: z.array(file).min(1),
});

export type PackManifest = z.infer<typeof manifestSchema>;
export type PackFile = z.infer<typeof file>;

/**
 * @param json the text of a manifest.json.
 * @throws SyntaxError when it is no JSON, ZodError when it is no manifest.
 */
export function parseManifest(json: string): PackManifest {
  return manifestSchema.parse(JSON.parse(json));
}
