/**
 * Thread side of one LLaMA replica: loads the model, then serves requests from its port until told to shut down.
 * It ends by itself with everything disposed; a thread ended inside native code would abort the process.
 * Thread: llama.
 */
import type { MessagePort } from 'node:worker_threads';
import { workerData } from 'piscina';
import { toWireError, type WireError } from '../../errors.ts';
import type { LlamaEvent, LlamaRequest, LlamaServeTask } from '../protocol.ts';
import { lowerInferenceThreads, lowerThreadPriority } from '../thread-priority.ts';
import type { LanguageModel } from './language-model.ts';
import { LlamaEngine } from './llama-engine.ts';
import { loadLlamaModel } from './llama-model.ts';

/**
 * The Piscina task: one replica for as long as it lives.
 * @returns why it could not start; null after an orderly shutdown
 * @throws never
 */
export async function serve(task: LlamaServeTask): Promise<WireError | null> {
  const { port } = task;
  let isDying = false;
  const emit = (event: LlamaEvent): void => {
    if (!isDying) port.postMessage(event);
  };
  lowerThreadPriority(task.niceIncrement);
  try {
    const onLog = (level: 'warn' | 'error', message: string) => emit({ kind: 'log', level, message });
    const model = await loadLlamaModel({ ...task, onLog });
    const onFault = () => {
      isDying = areFaultsAllowed();
      if (isDying) void engine.stop().then(() => process.exit(1));
    };
    const engine = new LlamaEngine(model, { ...task, onFault }, emit);
    await serveUntilShutDown(task, model, engine, emit);
    return null;
  } catch (error) {
    return toWireError(error, 'INFERENCE_FAILED');
  } finally {
    port.close();
  }
}

async function serveUntilShutDown(
  task: LlamaServeTask,
  model: LanguageModel,
  engine: LlamaEngine,
  emit: (event: LlamaEvent) => void,
): Promise<void> {
  try {
    await engine.warmUp();
    // The threads that decode exist now; they are libuv's and do not inherit this thread's priority.
    lowerInferenceThreads(task.niceIncrement);
    const shutDown = serveRequests(task.port, engine);
    const { sequenceCount: sequences, contextTokens, backend } = model;
    emit({ kind: 'ready', sequences, contextTokens, backend });
    await shutDown;
    await engine.stop();
  } finally {
    await model.close();
  }
}

// A closed port means that main is gone: the same as a shutdown.
function serveRequests(port: MessagePort, engine: LlamaEngine): Promise<void> {
  return new Promise((resolve) => {
    port.on('close', resolve);
    port.on('message', (request: LlamaRequest) => {
      if (request.kind === 'shutDown') resolve();
      else engine.handle(request);
    });
  });
}

// The engine is stopped before the exit, because an exit inside a decode aborts the whole process.
function areFaultsAllowed(): boolean {
  return (workerData as { readonly allowFaults?: boolean } | null)?.allowFaults === true;
}
