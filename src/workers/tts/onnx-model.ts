/** How the voice engines open their models with ONNX Runtime. Thread: TTS worker. */
import { InferenceSession } from 'onnxruntime-node';
import { messageOf, WildfireError } from '../../errors.ts';

/**
 * Opens a model on the CPU.
 * @param kind of model, for the message.
 * @throws WildfireError MODEL_DAMAGED, naming the file.
 */
export async function openSession(
  kind: string,
  file: string,
  intraOpThreads: number,
): Promise<InferenceSession> {
  try {
    return await InferenceSession.create(file, { ...sessionOptions(intraOpThreads), logSeverityLevel: 3 });
  } catch (error) {
    throw new WildfireError('MODEL_DAMAGED', `${kind} model ${file}: ${messageOf(error)}`, {
      context: { file },
      cause: error,
    });
  }
}

/**
 * ONNX Runtime's options of every engine. Its threads sleep instead of spinning, which would take cores from other
 * threads between and within runs. A second one shortens runs that follow each other by 30 %, and a run after a rest by
 * nothing: waking it takes as long as it saves (spinning: 25 % sooner for up to twice the CPU).
 */
export function sessionOptions(intraOpThreads: number) {
  return {
    intraOpNumThreads: intraOpThreads,
    interOpNumThreads: 1,
    // Remembered memory plans grow with every new sentence length. The arena stays on: without it the process grew by
    // 27 MB in 900 sentences of mixed length, with it by nothing.
    enableMemPattern: false,
    extra: { session: { intra_op: { allow_spinning: '0' } } },
  };
}
