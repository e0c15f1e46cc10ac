/**
 * A whole Kokoro folder as kokoro-js reads it: the model, its configuration and the phonemes of the real tokenizer.
 * Voices come with kokoro-js. Thread: the CLI. Source: onnx-community/Kokoro-82M-v1.0-ONNX, tokenizer.json.
 */
import type { PackFile } from '../../manifest.ts';
import { writeOnnx } from '../onnx/onnx-file.ts';
import type { RandomWeights } from '../random-weights.ts';
import type { KokoroShape } from '../shapes.ts';
import { writeParts } from '../streamed-file.ts';
import { kokoro } from './kokoro-graph.ts';

export interface KokoroFilesOptions {
  readonly shape: KokoroShape;
  readonly weights: RandomWeights;
  readonly metadata: Readonly<Record<string, string>>;
}

/** Frames every text; id 0. */
const EDGE = '$';
/** The phonemes of the real tokenizer, whose ids reach 177; here they follow each other. */
const PHONEMES =
  ';:,.!?¡¿—…"«»“” ˈˌːʰʲ↓→↗↘ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz' +
  'ɡɹɾɪʊʌɐɑɒɔəɚɛɜɝæðθŋʃʒʔᵻᵊɫβçɟɣɨɲœøɸɳɴʁʂʈʧʤʦʣʨʥꭧɤɯʎʋχ\u0329\u0303';

/** @returns the files as a manifest lists them. */
export async function writeKokoro(
  folder: string,
  path: string,
  options: KokoroFilesOptions,
): Promise<PackFile[]> {
  const { shape, weights, metadata } = options;
  const files = await writeOnnx(kokoro(shape, weights), {
    folder,
    path: `${path}/onnx/model.onnx`,
    metadata,
  });
  const documents: Record<string, object> = {
    'config.json': { model_type: 'style_text_to_speech_2' },
    'tokenizer.json': tokenizer(),
    'tokenizer_config.json': {
      tokenizer_class: 'PreTrainedTokenizerFast',
      model_max_length: 512,
      pad_token: EDGE,
      unk_token: EDGE,
    },
  };
  for (const [name, document] of Object.entries(documents)) {
    files.push(await writeParts(folder, `${path}/${name}`, [Buffer.from(JSON.stringify(document))]));
  }
  return files;
}

function tokenizer(): object {
  const known = [EDGE, ...new Set(PHONEMES)];
  const edge = { SpecialToken: { id: EDGE, type_id: 0 } };
  const framed = [edge, { Sequence: { id: 'A', type_id: 0 } }, edge];
  const quoted = PHONEMES.replace(/[\]\\^-]/g, '\\$&');
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [],
    normalizer: { type: 'Replace', pattern: { Regex: `[^${EDGE}${quoted}]` }, content: '' },
    pre_tokenizer: { type: 'Split', pattern: { Regex: '' }, behavior: 'Isolated', invert: false },
    post_processor: {
      type: 'TemplateProcessing',
      single: framed,
      pair: framed,
      special_tokens: { [EDGE]: { id: EDGE, ids: [0], tokens: [EDGE] } },
    },
    decoder: null,
    model: {
      type: 'WordLevel',
      vocab: Object.fromEntries(known.map((phoneme, id) => [phoneme, id])),
      unk_token: EDGE,
    },
  };
}
