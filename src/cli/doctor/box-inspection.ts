/** What `doctor` looks at: one finding per fact, with what to do where it is a problem. Thread: main. */

import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, totalmem } from 'node:os';
import type { Config } from '../../config/schema.ts';
import { messageOf } from '../../errors.ts';
import { loadPack } from '../../models/pack.ts';
import { packFolderOf } from '../../models/pack-folders.ts';
import { nativeAddon } from '../../native/addon.ts';
import { inspectControl } from './control-inspection.ts';
import { inspectEngines, type TriedEngine } from './engine-inspection.ts';
import { type Finding, ok } from './finding.ts';
import { inspectGpu } from './gpu-inspection.ts';
import { inspectPorts } from './port-inspection.ts';
import { askRunningWildfire } from './running-wildfire.ts';
import { inspectStore } from './store-inspection.ts';

/** Two sockets a call, and room for everything else. */
const FDS_PER_CALL = 3;
const FDS_BASE = 256;
const WANTED_UDP_BUFFER_BYTES = 1 << 20;
const RTP_PORTS_PER_CALL = 2;

/** All findings, in the order in which a person wants them. */
export async function inspectBox(config: Config): Promise<Finding[]> {
  const running = await askRunningWildfire(config);
  const { pack, engines } = await packAndEngines(config);
  return [
    nodeVersion(),
    cpu(),
    await inspectGpu(config, engines),
    memory(),
    nativeCode(),
    pack,
    ...engines.map(({ finding }) => finding),
    ...(await inspectPorts(config, running)),
    rtpPorts(config),
    inspectStore(config),
    fileDescriptors(config),
    udpBuffer(),
    ...inspectControl(config, running),
    mediaPriority(),
  ];
}

function nodeVersion(): Finding {
  return ok('Node.js', `${process.version} (${process.platform} ${process.arch})`);
}

function cpu(): Finding {
  const flags = /^flags\s*:(.*)$/m.exec(readText('/proc/cpuinfo'))?.[1] ?? '';
  const wanted = ['avx2', 'avx512f', 'avx512_bf16', 'amx_bf16'].filter((flag) => flags.includes(` ${flag}`));
  const features = wanted.length === 0 ? 'no AVX2 seen' : wanted.join(' ');
  return ok('CPU', `${availableParallelism()} cores, ${cpus()[0]?.model ?? 'unknown'}, ${features}`);
}

function memory(): Finding {
  return ok('memory', `${(totalmem() / 2 ** 30).toFixed(1)} GiB`);
}

function nativeCode(): Finding {
  const { addon, remark } = nativeAddon();
  if (addon !== null) return ok('native addon', remark);
  return {
    name: 'native addon',
    value: `none: TypeScript resamples, at several times the CPU (${remark})`,
    verdict: 'note',
    advice: 'install Rust (https://rustup.rs), then run `npm run build:native`',
  };
}

async function packAndEngines(config: Config): Promise<{ pack: Finding; engines: TriedEngine[] }> {
  try {
    const pack = await loadPack(packFolderOf(config.models.pack), { verification: 'full' });
    const sizeMiB = (pack.totalBytes / 2 ** 20).toFixed(1);
    return {
      pack: ok('model pack', `${pack.name} ${pack.version}, ${sizeMiB} MiB, all files whole`),
      engines: await inspectEngines(config, pack),
    };
  } catch (error) {
    const advice = messageOf(error);
    return {
      pack: { name: 'model pack', value: config.models.pack, verdict: 'problem', advice },
      engines: [],
    };
  }
}

function rtpPorts({ rtp, limits }: Config): Finding {
  const calls = Math.floor((rtp.portLast - rtp.portFirst + 1) / RTP_PORTS_PER_CALL);
  const value = `${rtp.portFirst}-${rtp.portLast}, enough for ${calls} calls`;
  if (calls >= limits.maxCalls) return ok('RTP ports', value);
  return {
    name: 'RTP ports',
    value,
    verdict: 'problem',
    advice: `limits.maxCalls is ${limits.maxCalls}: widen rtp.portFirst..rtp.portLast or lower it`,
  };
}

function fileDescriptors({ limits }: Config): Finding {
  const soft = Number(/^Max open files\s+(\d+)/m.exec(readText('/proc/self/limits'))?.[1] ?? Number.NaN);
  const wanted = FDS_BASE + FDS_PER_CALL * limits.maxCalls;
  if (Number.isNaN(soft))
    return { name: 'open files', value: 'limit not readable', verdict: 'note', advice: '' };
  if (soft >= wanted) return ok('open files', `limit ${soft}, ${wanted} wanted`);
  return {
    name: 'open files',
    value: `limit ${soft}`,
    verdict: 'problem',
    advice: `run \`ulimit -n ${wanted}\` or more`,
  };
}

function udpBuffer(): Finding {
  const text = readText('/proc/sys/net/core/rmem_max').trim();
  if (text === '')
    return { name: 'UDP receive buffer', value: 'limit not readable', verdict: 'note', advice: '' };
  if (Number(text) >= WANTED_UDP_BUFFER_BYTES) return ok('UDP receive buffer', `up to ${text} bytes`);
  return {
    name: 'UDP receive buffer',
    value: `at most ${text} bytes`,
    verdict: 'note',
    advice: `for many calls: sysctl -w net.core.rmem_max=${WANTED_UDP_BUFFER_BYTES}`,
  };
}

function mediaPriority(): Finding {
  const isRoot = process.getuid?.() === 0;
  const mayRaise = isRoot || (Number.parseInt(capabilities(), 16) & (1 << 23)) !== 0;
  if (mayRaise) return ok('media priority', 'may be raised above inference');
  return {
    name: 'media priority',
    value: 'normal (inference is lowered instead)',
    verdict: 'note',
    advice: 'CAP_SYS_NICE lets the media thread go before everything else on a busy box',
  };
}

function capabilities(): string {
  return /^CapEff:\s*([0-9a-f]+)/m.exec(readText('/proc/self/status'))?.[1] ?? '0';
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // not Linux
  }
}
