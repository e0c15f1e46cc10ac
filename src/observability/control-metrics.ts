/** The metrics of the registration control plane, in the registry of all others. Thread: main. */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

const CONNECT_BUCKETS_SECONDS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2];

export interface ControlMetrics {
  readonly datagrams: Counter<'listener' | 'kind'>;
  readonly heartbeats: Counter<'listener'>;
  readonly kernelDrops: Gauge<'listener'>;
  readonly receiveQueueBytes: Gauge<'listener'>;
  readonly receiveBufferBytes: Gauge<'listener'>;
  readonly symptoms: Gauge<'symptom'>;
  /** First REGISTER of an attempt read, up to the TCP connection. */
  readonly registerToConnectSeconds: Histogram;
  /** Connection begun, up to established. */
  readonly connectSeconds: Histogram<'leg'>;
  readonly connections: Gauge<'leg'>;
  readonly sessions: Gauge<'role'>;
  readonly pendingConnects: Gauge;
}

/** Adds the control plane's metrics to a registry. */
export function createControlMetrics(registry: Registry): ControlMetrics {
  const registers = [registry];
  const gauge = <Label extends string>(name: string, help: string, label: Label): Gauge<Label> =>
    new Gauge({ name: `wildfire_control_${name}`, help, labelNames: [label], registers });
  const connections = gauge('connections', 'Connected legs', 'leg');
  for (const leg of ['audioIn', 'text8083', 'text8090', 'audioOut']) connections.set({ leg }, 0);
  const sessions = gauge('sessions', 'Calls that a role holds state for', 'role');
  for (const role of ['whisper', 'llama', 'tts']) sessions.set({ role }, 0);
  const histogram = { buckets: CONNECT_BUCKETS_SECONDS, registers };
  return {
    datagrams: new Counter({
      name: 'wildfire_control_datagrams_total',
      help: 'Registration datagrams read, by what they were',
      labelNames: ['listener', 'kind'],
      registers,
    }),
    heartbeats: new Counter({
      name: 'wildfire_control_heartbeats_total',
      help: 'Signs of life of the registration listeners',
      labelNames: ['listener'],
      registers,
    }),
    kernelDrops: gauge('kernel_drops', 'Datagrams that the kernel dropped for want of room', 'listener'),
    receiveQueueBytes: gauge('receive_queue_bytes', 'Bytes of datagrams not read yet', 'listener'),
    receiveBufferBytes: gauge('receive_buffer_bytes', 'Receive buffer that the kernel granted', 'listener'),
    symptoms: gauge('symptom', '1 while a registration listener shows this symptom', 'symptom'),
    registerToConnectSeconds: new Histogram({
      name: 'wildfire_control_register_to_connect_seconds',
      help: 'First REGISTER of an attempt read, up to the connection',
      ...histogram,
    }),
    connectSeconds: new Histogram({
      name: 'wildfire_control_connect_seconds',
      help: 'Time to establish a connection, by leg',
      labelNames: ['leg'],
      ...histogram,
    }),
    connections,
    sessions,
    pendingConnects: new Gauge({
      name: 'wildfire_control_pending_connects',
      help: 'Connections being established',
      registers,
    }),
  };
}
