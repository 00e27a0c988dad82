import { viewOf } from '../../../shared/bytes.ts';

/** Layouts of Ethernet (RFC 894), ARP (RFC 826), IPv4 (RFC 791), UDP (RFC 768) and ICMP (RFC 792): offsets in bytes. */
export const ETHERTYPE = { IPV4: 0x0800, ARP: 0x0806 } as const;
export const IP_PROTOCOL = { ICMP: 1, UDP: 17 } as const;
export const ETHERNET_BYTES = 14;
export const IPV4_BYTES = 20;
export const UDP_BYTES = 8;
const SHORTEST_FRAME = 60;
const TIME_TO_LIVE = 64;

export interface Ipv4Packet {
  readonly source: number;
  readonly destination: number;
  readonly protocol: number;
  readonly payload: Uint8Array;
}

export interface UdpDatagram {
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly payload: Uint8Array;
}

/** One's complement sum of 16-bit words (RFC 1071). */
export function internetChecksum(bytes: Uint8Array): number {
  let sum = 0;
  for (let index = 0; index < bytes.length; index += 2) sum += (bytes[index] << 8) | (bytes[index + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

/** An Ethernet frame, padded to the shortest length. */
export function ethernetFrame(
  destination: Uint8Array,
  source: Uint8Array,
  etherType: number,
  payload: Uint8Array,
): Uint8Array {
  const frame = new Uint8Array(Math.max(SHORTEST_FRAME, ETHERNET_BYTES + payload.length));
  frame.set(destination, 0);
  frame.set(source, 6);
  viewOf(frame).setUint16(12, etherType);
  frame.set(payload, ETHERNET_BYTES);
  return frame;
}

/** The IPv4 packet in `bytes`, or undefined when it is none, is cut short or is a fragment. */
export function decodeIpv4(bytes: Uint8Array): Ipv4Packet | undefined {
  if (bytes.length < IPV4_BYTES || bytes[0] >> 4 !== 4) return undefined;
  const view = viewOf(bytes);
  const headerBytes = (bytes[0] & 15) * 4;
  const totalBytes = view.getUint16(2);
  const fragment = view.getUint16(6) & 0x3fff;
  if (headerBytes < IPV4_BYTES || totalBytes < headerBytes || totalBytes > bytes.length || fragment !== 0)
    return undefined;
  return {
    source: view.getUint32(12),
    destination: view.getUint32(16),
    protocol: bytes[9],
    payload: bytes.subarray(headerBytes, totalBytes),
  };
}

export function encodeIpv4(packet: Ipv4Packet): Uint8Array {
  const bytes = new Uint8Array(IPV4_BYTES + packet.payload.length);
  const view = viewOf(bytes);
  bytes[0] = 0x45;
  view.setUint16(2, bytes.length);
  bytes[8] = TIME_TO_LIVE;
  bytes[9] = packet.protocol;
  view.setUint32(12, packet.source);
  view.setUint32(16, packet.destination);
  view.setUint16(10, internetChecksum(bytes.subarray(0, IPV4_BYTES)));
  bytes.set(packet.payload, IPV4_BYTES);
  return bytes;
}

export function decodeUdp(bytes: Uint8Array): UdpDatagram | undefined {
  if (bytes.length < UDP_BYTES) return undefined;
  const view = viewOf(bytes);
  const byteLength = view.getUint16(4);
  if (byteLength < UDP_BYTES || byteLength > bytes.length) return undefined;
  return {
    sourcePort: view.getUint16(0),
    destinationPort: view.getUint16(2),
    payload: bytes.subarray(UDP_BYTES, byteLength),
  };
}

/** A UDP datagram without checksum, which IPv4 allows. */
export function encodeUdp(datagram: UdpDatagram): Uint8Array {
  const bytes = new Uint8Array(UDP_BYTES + datagram.payload.length);
  const view = viewOf(bytes);
  view.setUint16(0, datagram.sourcePort);
  view.setUint16(2, datagram.destinationPort);
  view.setUint16(4, bytes.length);
  bytes.set(datagram.payload, UDP_BYTES);
  return bytes;
}
