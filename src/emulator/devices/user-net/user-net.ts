import { viewOf } from '../../../shared/bytes.ts';
import { AlarmSlot } from '../../machine/alarm-slot.ts';
import type { AlarmState, Clock, NetworkBackend } from '../../machine/ports.ts';
import { answerDhcp, DHCP_PORTS } from './dhcp.ts';
import {
  decodeIpv4,
  decodeUdp,
  ETHERNET_BYTES,
  ETHERTYPE,
  encodeIpv4,
  encodeUdp,
  ethernetFrame,
  IP_PROTOCOL,
  type Ipv4Packet,
  internetChecksum,
} from './packets.ts';

/** The network that QEMU's user-mode stack shows: 10.0.2.0/24, gateway .2, name server .3, first guest .15. */
export const USER_NET = {
  gateway: 0x0a00_0202,
  dns: 0x0a00_0203,
  guest: 0x0a00_020f,
  mask: 0xffff_ff00,
} as const;
/** MAC of gateway and name server, as QEMU's. */
const GATEWAY_MAC = Uint8Array.of(0x52, 0x55, 0x0a, 0x00, 0x02, 0x02);
const BROADCAST_MAC = new Uint8Array(6).fill(0xff);
const LIMITED_BROADCAST = 0xffff_ffff;
const ARP = { BYTES: 28, REQUEST: 1, REPLY: 2, ETHERNET_IPV4: 0x0001_0800 } as const;
const ICMP = { ECHO_REPLY: 0, ECHO_REQUEST: 8 } as const;
/** How long an answer takes, nanoseconds. */
const ROUND_TRIP = 50_000;

interface UserNetState {
  readonly underWay: readonly { readonly frame: readonly number[]; readonly arrival?: AlarmState }[];
}

/**
 * A network of one host with a gateway: answers ARP for gateway and name server, DHCP, and ICMP echo to the gateway. All other
 * traffic is dropped: there is no outside.
 */
export class UserNet implements NetworkBackend {
  #clock: Clock | undefined;
  #receive: (frame: Uint8Array) => void = () => {};
  readonly #underWay = new Map<AlarmSlot, Uint8Array>();

  connect(receive: (frame: Uint8Array) => void, clock: Clock): void {
    this.#receive = receive;
    this.#clock = clock;
  }

  transmit(frame: Uint8Array): void {
    const clock = this.#clock;
    if (frame.length < ETHERNET_BYTES || !clock) return;
    const answer = this.#answer(frame);
    if (answer) this.#send(answer).arm(clock.now() + ROUND_TRIP);
  }

  snapshot(): UserNetState {
    return { underWay: [...this.#underWay].map(([slot, frame]) => ({ frame: [...frame], arrival: slot.snapshot() })) };
  }

  restore(state: UserNetState): void {
    for (const slot of this.#underWay.keys()) slot.cancel();
    this.#underWay.clear();
    for (const { frame, arrival } of state.underWay) this.#send(Uint8Array.from(frame)).restore(arrival);
  }

  /** A frame on its way to the guest; the caller says when it arrives. */
  #send(frame: Uint8Array): AlarmSlot {
    const slot = new AlarmSlot(this.#clock!, () => {
      this.#underWay.delete(slot);
      this.#receive(frame);
    });
    this.#underWay.set(slot, frame);
    return slot;
  }

  #answer(frame: Uint8Array): Uint8Array | undefined {
    const client = frame.slice(6, 12);
    const payload = frame.subarray(ETHERNET_BYTES);
    const etherType = viewOf(frame).getUint16(12);
    if (etherType === ETHERTYPE.ARP) return answerArp(client, payload);
    if (etherType !== ETHERTYPE.IPV4) return undefined;
    const packet = decodeIpv4(payload);
    if (!packet) return undefined;
    if (packet.protocol === IP_PROTOCOL.ICMP) return answerEcho(client, packet);
    if (packet.protocol === IP_PROTOCOL.UDP) return answerUdp(packet);
    return undefined;
  }
}

function answerArp(client: Uint8Array, payload: Uint8Array): Uint8Array | undefined {
  if (payload.length < ARP.BYTES) return undefined;
  const view = viewOf(payload);
  const wanted = view.getUint32(24);
  if (view.getUint32(0) !== ARP.ETHERNET_IPV4 || view.getUint16(6) !== ARP.REQUEST) return undefined;
  if (wanted !== USER_NET.gateway && wanted !== USER_NET.dns) return undefined;
  const reply = payload.slice(0, ARP.BYTES);
  viewOf(reply).setUint16(6, ARP.REPLY);
  reply.set(GATEWAY_MAC, 8);
  viewOf(reply).setUint32(14, wanted);
  reply.set(payload.subarray(8, 18), 18);
  return ethernetFrame(client, GATEWAY_MAC, ETHERTYPE.ARP, reply);
}

function answerEcho(client: Uint8Array, packet: Ipv4Packet): Uint8Array | undefined {
  if (packet.payload[0] !== ICMP.ECHO_REQUEST || packet.payload.length < 8) return undefined;
  if (packet.destination !== USER_NET.gateway && packet.destination !== USER_NET.dns) return undefined;
  const reply = packet.payload.slice();
  const view = viewOf(reply);
  reply[0] = ICMP.ECHO_REPLY;
  view.setUint16(2, 0);
  view.setUint16(2, internetChecksum(reply));
  return ipFrame(client, packet.destination, packet.source, IP_PROTOCOL.ICMP, reply);
}

function answerUdp(packet: Ipv4Packet): Uint8Array | undefined {
  const datagram = decodeUdp(packet.payload);
  if (datagram?.destinationPort !== DHCP_PORTS.SERVER) return undefined;
  const { gateway, dns, mask, guest } = USER_NET;
  const reply = answerDhcp(datagram.payload, { address: guest, mask, gateway, dns });
  if (!reply) return undefined;
  const udp = encodeUdp({ sourcePort: DHCP_PORTS.SERVER, destinationPort: DHCP_PORTS.CLIENT, payload: reply });
  return ipFrame(BROADCAST_MAC, gateway, LIMITED_BROADCAST, IP_PROTOCOL.UDP, udp);
}

function ipFrame(
  client: Uint8Array,
  source: number,
  destination: number,
  protocol: number,
  payload: Uint8Array,
): Uint8Array {
  const packet = encodeIpv4({ source, destination, protocol, payload });
  return ethernetFrame(client, GATEWAY_MAC, ETHERTYPE.IPV4, packet);
}
