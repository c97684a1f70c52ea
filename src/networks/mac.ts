// The hardware address of a container's end of a veth pair.

import type { Address } from './address.ts'

/**
 * Docker's: 02:42, where the bit 2 says that no manufacturer gave it, and the last 32 bits of the address: unique in the
 * network because the address is, and the same again when a container comes back with its address. Source: moby,
 * libnetwork/netutils (GenerateMACFromIP).
 */
export function macAddressOf({ value }: Address): string {
  const last = [24n, 16n, 8n, 0n].map(shift => Number((value >> shift) & 0xffn))
  return [0x02, 0x42, ...last].map(byte => byte.toString(16).padStart(2, '0')).join(':')
}

/**
 * Reads a hardware address of 48 bits, as 02:42:ac:11:00:02, 02-42-ac-11-00-02 or 0242.ac11.0002, and writes it in the
 * first form; undefined for a text that is none. Source: Go, net.ParseMAC.
 */
export function parseMacAddress(text: string): string | undefined {
  const isOne = /^(?:[0-9a-f]{2}([:-])(?:[0-9a-f]{2}\1){4}[0-9a-f]{2}|(?:[0-9a-f]{4}\.){2}[0-9a-f]{4})$/i
  if (!isOne.test(text)) return undefined
  return text.toLowerCase().replaceAll(/[:.-]/g, '').match(/../g)!.join(':')
}
