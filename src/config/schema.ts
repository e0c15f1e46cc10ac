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
  /** The pack of the built-in callers: their words, voice and recogniser. */
  callerPack: z.string().default('embedded'),
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
  /** Threads that ONNX Runtime uses inside one inference. */
  intraOpThreads: count.default(1),
});

const inference = z.strictObject({
  /** Added to the nice value of every inference thread, so that media and SIP go first. */
  niceIncrement: nice.default(10),
});

/** The registration control plane: roles in processes of their own, and outside parties. docs/control-plane.md. */
const control = z.strictObject({
  /** Serve outside parties although the neighbouring role is in this process. */
  listen: z.boolean().default(false),
  /** Interface of all listeners; anything but loopback needs `allow`, and `secret` or TLS. */
  bindAddress: z.string().default('127.0.0.1'),
  /** Where the roles that are not in this process are. */
  whisperHost: z.string().default('127.0.0.1'),
  llamaHost: z.string().default('127.0.0.1'),
  ttsHost: z.string().default('127.0.0.1'),
  /** Where calls are played that have not registered with the TTS. */
  outboundHost: z.string().default('127.0.0.1'),
  whisperPort: portNumber.default(13000),
  llamaPort: portNumber.default(8083),
  ttsPort: portNumber.default(8090),
  ttsRegisterPort: portNumber.default(13001),
  /** A call's ports are these plus its id. */
  inboundPortBase: portNumber.default(9001),
  outboundPortBase: portNumber.default(9002),
  /** First id of this process's calls; 0 is a random even one. */
  firstCallId: z.int().min(0).max(56533).default(0),
  /** REGISTER: this often for so long, then this often, then ever more slowly up to registerMaxMs. */
  registerFastMs: count.default(200),
  registerFastForMs: durationMs.default(1000),
  registerSlowMs: count.default(1000),
  registerMaxMs: count.default(1000),
  /** A connection that does not come about within this is given up. */
  connectTimeoutMs: count.default(2000),
  /** A connection that has not said HELLO by then is closed. */
  helloTimeoutMs: count.default(2000),
  /** Connecting again: so many attempts at this pace, so many at that, then backing off up to connectMaxMs. */
  connectFastAttempts: z.int().min(0).default(5),
  connectFastMs: count.default(200),
  connectSlowAttempts: z.int().min(0).default(5),
  connectSlowMs: count.default(1000),
  connectMaxMs: count.default(4000),
  backoffFactor: z.number().min(1).max(10).default(2),
  /** Share of a backed-off delay that is drawn by chance. */
  jitter: z.number().min(0).max(1).default(0.2),
  /** Attempts in a row; 0 is as many as the call lasts. */
  maxAttempts: z.int().min(0).default(0),
  /** Connections being established at once; the oldest gives way. */
  maxPendingConnects: count.default(1024),
  /** Outside calls at once, for each role. */
  maxSessions: count.default(2048),
  /** Silence after which a connected peer is asked whether it is there. */
  keepAliveMs: count.default(5000),
  /** A peer that takes nothing for this long is given up. */
  stallTimeoutMs: count.default(10_000),
  /** How long a call outlives a connection that was lost without BYE. */
  lostGraceMs: durationMs.default(30_000),
  /** A text connection on which nothing is said for this long is closed. */
  idleTimeoutMs: count.default(600_000),
  heartbeatMs: count.default(30_000),
  /** Asked of the kernel for each registration socket. */
  receiveBufferBytes: z.int().min(262_144).default(524_288),
  /** Let another program bind the registration ports, too. */
  shareUdpPort: z.boolean().default(false),
  /** Silence after the last audio or text of a reply made elsewhere that ends it. */
  replyGapMs: count.default(600),
  replyTimeoutMs: count.default(15_000),
  transcriptTimeoutMs: count.default(10_000),
  /** The llama role greets outside calls. */
  greet: z.boolean().default(true),
  replyFrames: z.enum(['sentence', 'whole']).default('sentence'),
  /** Length of one chunk of speech to an outbound side. */
  chunkMs: count.default(40),
  /** Addresses and networks, separated by commas, that may connect and register, beside this box. */
  allow: z.string().default(''),
  /** Shared secret that signs REGISTER, BYE and HELLO. */
  secret: z.string().default(''),
  tlsCert: z.string().default(''),
  tlsKey: z.string().default(''),
  /** Authority that signed the certificates of all processes. */
  tlsCa: z.string().default(''),
});

const web = z.strictObject({
  /** Serve /metrics, /healthz and /api. */
  enabled: z.boolean().default(true),
  bindAddress: z.string().default('127.0.0.1'),
  port: portNumber.default(8081),
});

const store = z.strictObject({
  /** Keep calls and turns with their timelines in a database. */
  enabled: z.boolean().default(true),
  /** The file. Empty: wildfire/calls.db in the user's state folder (state-path.ts). */
  path: z.string().default(''),
  /** Calls and turns older than this are deleted; 0 keeps all. */
  retentionDays: z.int().min(0).max(36_500).default(30),
  /** Keep what was said, too: transcripts and replies are personal. */
  keepText: z.boolean().default(false),
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
  control: control.prefault({}),
  web: web.prefault({}),
  store: store.prefault({}),
  log: log.prefault({}),
});

export type Config = z.output<typeof configSchema>;
