import { viewOf } from '../../../shared/bytes.ts';

export const DHCP_PORTS = { SERVER: 67, CLIENT: 68 } as const;

/** BOOTP fields (RFC 951) by offset; options follow the magic cookie (RFC 2131 §3). */
const FIELD = { OP: 0, XID: 4, YIADDR: 16, SIADDR: 20, CHADDR: 28, COOKIE: 236, OPTIONS: 240 } as const;
const OP_REPLY = 2;
const COOKIE = 0x63825363;
/** Option codes (RFC 2132). */
const OPTION = { MASK: 1, ROUTER: 3, DNS: 6, LEASE: 51, TYPE: 53, SERVER: 54, END: 255 } as const;
const MESSAGE = { DISCOVER: 1, OFFER: 2, REQUEST: 3, ACK: 5 } as const;
const LEASE_SECONDS = 86_400;
/** Old clients want BOOTP's length. */
const SHORTEST_REPLY = 300;

export interface DhcpLease {
  readonly address: number;
  readonly mask: number;
  readonly gateway: number;
  readonly dns: number;
}

/** The answer to a DHCP message from a client, or undefined when it asks for none. Every client gets the one lease. */
export function answerDhcp(request: Uint8Array, lease: DhcpLease): Uint8Array | undefined {
  if (request.length < FIELD.OPTIONS || viewOf(request).getUint32(FIELD.COOKIE) !== COOKIE) return undefined;
  const type = messageType(request);
  if (type !== MESSAGE.DISCOVER && type !== MESSAGE.REQUEST) return undefined;
  const reply = new Uint8Array(SHORTEST_REPLY);
  // Hardware type and length, transaction, flags and client address come back as they were sent.
  reply.set(request.subarray(0, FIELD.YIADDR), 0);
  reply.set(request.subarray(FIELD.CHADDR, FIELD.CHADDR + 16), FIELD.CHADDR);
  const view = viewOf(reply);
  reply[FIELD.OP] = OP_REPLY;
  view.setUint32(FIELD.YIADDR, lease.address);
  view.setUint32(FIELD.SIADDR, lease.gateway);
  view.setUint32(FIELD.COOKIE, COOKIE);
  let offset: number = FIELD.OPTIONS;
  reply.set([OPTION.TYPE, 1, type === MESSAGE.DISCOVER ? MESSAGE.OFFER : MESSAGE.ACK], offset);
  offset += 3;
  for (const [code, value] of [
    [OPTION.SERVER, lease.gateway],
    [OPTION.MASK, lease.mask],
    [OPTION.ROUTER, lease.gateway],
    [OPTION.DNS, lease.dns],
    [OPTION.LEASE, LEASE_SECONDS],
  ]) {
    reply.set([code, 4], offset);
    view.setUint32(offset + 2, value);
    offset += 6;
  }
  reply[offset] = OPTION.END;
  return reply;
}

function messageType(request: Uint8Array): number {
  for (let offset: number = FIELD.OPTIONS; offset < request.length; ) {
    const code = request[offset];
    if (code === OPTION.END) break;
    if (code === OPTION.TYPE) return request[offset + 2];
    // Option 0 is padding, one byte.
    offset += code === 0 ? 1 : 2 + (request[offset + 1] ?? 0);
  }
  return 0;
}
