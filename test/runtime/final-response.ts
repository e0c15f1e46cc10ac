/** One SIP request by hand, for what a user agent would not show of the response. */
import { createSocket } from 'node:dgram';
import { requestText } from '../sip/sip-text.ts';

const LOOPBACK = '127.0.0.1';

/** Sends one request from a port of its own. @returns the first final response, whole */
export async function finalResponseTo(method: string, sipPort: number): Promise<string> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, LOOPBACK, resolve));
  try {
    const { port } = socket.address();
    const via = `Via: SIP/2.0/UDP ${LOOPBACK}:${port};branch=z9hG4bK-final-${method}-${port};rport`;
    socket.send(requestText({ method, callId: `final-${port}`, replace: { Via: via } }), sipPort, LOOPBACK);
    const { promise, resolve } = Promise.withResolvers<string>();
    socket.on('message', (bytes) => {
      const text = bytes.toString();
      if (!text.startsWith('SIP/2.0 1')) resolve(text);
    });
    return await promise;
  } finally {
    socket.close();
  }
}
