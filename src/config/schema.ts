/**
 * The configuration: one schema, the only place where a default stands. Every key has a default, so the parsed
 * defaults are also the list of all keys (used for environment names and for "did you mean").
 * Thread: main. Source of the conventions: docs/configuration.md.
 */
import { z } from 'zod';
import { DEFAULT_TURN_CONFIG } from '../turn/turn-config.ts';

const portNumber = z.int().min(0).max(65535);
const durationMs = z.int().min(0);
const count = z.int().min(1);
const nice = z.int().min(0).max(19);
const onnxDevice = z.enum(['cpu', 'cuda']);

const sip = z.strictObject({
  /** Interface to listen on; 0.0.0.0 is all of them. */
  bindAddress: z.string().default('0.0.0.0'),
  /** UDP port; 0 takes a free one. */
  port: portNumber.default(5060),
  /** Address put into Contact and SDP instead of the one the call came in on (for 1:1 NAT). Empty: automatic. */
  advertisedAddress: z.string().default(''),
  /** Value of the User-Agent and Server headers. */
  userAgent: z.string().default('Wildfire'),
});

const rtp = z.strictObject({
  /** First RTP port; calls take even ports, RTCP is one above. */
  portFirst: portNumber.default(20000),
  portLast: portNumber.default(29999),
  /** A call without one RTP packet for this long is ended. */
  mediaTimeoutMs: durationMs.default(30_000),
});

const limits = z.strictObject({
  /** Calls at once; the next INVITE is answered 503 with Retry-After. */
  maxCalls: count.default(64),
  /** A call is ended after this long. */
  maxCallDurationMs: durationMs.default(3_600_000),
  /** How long a drain waits for calls to finish before it ends them with BYE. */
  drainTimeoutMs: durationMs.default(30_000),
  /** Value of Retry-After in seconds when a call is refused. */
  retryAfterSeconds: count.default(5),
});

const models = z.strictObject({
  /** A pack: a folder with a manifest.json, or the name of one under models/. */
  pack: z.string().default('embedded'),
});

/** An empty text means: what the pack's manifest says. */
const agent = z.strictObject({
  /** An echo sends back what it hears and loads no models: for measuring media alone. */
  mode: z.enum(['conversation', 'echo']).default('conversation'),
  systemPrompt: z.string().default(''),
  greeting: z.string().default(''),
  apology: z.string().default(''),
  noInputPrompt: z.string().default(''),
  goodbye: z.string().default(''),
  voice: z.string().default(''),
  speed: z.number().min(0.5).max(2).default(1),
});

const { endpointing, bargeIn, noInput, digits } = DEFAULT_TURN_CONFIG;

const turn = z.strictObject({
  /** Silence after the last speech that ends the caller's turn. */
  minEndpointDelayMs: durationMs.default(endpointing.minDelayMs),
  /** No pause of a hesitant caller is waited for longer than this. */
  maxEndpointDelayMs: durationMs.default(endpointing.maxDelayMs),
  /** Speech over the agent's voice that counts as barge-in. */
  bargeInMinSpeechMs: durationMs.default(bargeIn.minSpeechMs),
  /** Silence after the agent's reply before it asks whether the caller is still there. */
  noInputMs: durationMs.default(noInput.promptAfterMs),
  /** How often it asks before it says goodbye and hangs up. */
  noInputPrompts: z.int().min(0).default(noInput.maxPrompts),
  /** Pause between two keys after which the digits entered so far count as said. */
  dtmfTimeoutMs: durationMs.default(digits.interDigitMs),
});

const vad = z.strictObject({
  model: z.enum(['energy', 'silero']).default('energy'),
  /** The Silero v5 ONNX file, when model is silero. */
  sileroPath: z.string().default(''),
});

const whisper = z.strictObject({
  threads: count.default(1),
  /** Threads that ONNX Runtime uses inside one inference. */
  intraOpThreads: count.default(1),
  device: onnxDevice.default('cpu'),
});

const llama = z.strictObject({
  /** Conversations held in one context at once; 0 takes limits.maxCalls. */
  sequences: z.int().min(0).default(0),
  /** Tokens of KV cache for each conversation. */
  contextTokens: count.default(1024),
  /** CPU threads of one decode. */
  threads: count.default(1),
  maxTokens: count.default(160),
  /** 0 is greedy; negative is what the pack says. */
  temperature: z.number().min(-1).max(2).default(-1),
  gpu: z.enum(['off', 'auto', 'cuda', 'vulkan', 'metal']).default('auto'),
});

const tts = z.strictObject({
  threads: count.default(1),
});

const inference = z.strictObject({
  /** Added to the nice value of every inference thread, so that media and SIP go first. */
  niceIncrement: nice.default(10),
});

const web = z.strictObject({
  /** Serve /metrics, /healthz and /api/status. */
  enabled: z.boolean().default(true),
  bindAddress: z.string().default('127.0.0.1'),
  port: portNumber.default(8081),
});

const log = z.strictObject({
  level: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info'),
});

export const configSchema = z.strictObject({
  sip: sip.prefault({}),
  rtp: rtp.prefault({}),
  limits: limits.prefault({}),
  models: models.prefault({}),
  agent: agent.prefault({}),
  turn: turn.prefault({}),
  vad: vad.prefault({}),
  whisper: whisper.prefault({}),
  llama: llama.prefault({}),
  tts: tts.prefault({}),
  inference: inference.prefault({}),
  web: web.prefault({}),
  log: log.prefault({}),
});

export type Config = z.output<typeof configSchema>;
