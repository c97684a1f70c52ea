// Which ports programs of this host have: the tables of its sockets.

import { type Address, formatAddress } from './address.ts'
import type { Protocol } from './ports.ts'

/** A socket that keeps others from its port; `inode` finds the process that has it (proc_pid_fd(5)). */
export type Socket = { protocol: Protocol; address: string; port: number; inode: number }

/** Their states in the tables: TCP_LISTEN of net/tcp_states.h; UDP has no other way to tell that nobody is connected. */
const WAITING = { tcp: '0A', udp: '07' }

/**
 * The sockets of /proc/net/tcp, tcp6, udp or udp6 that wait for anybody; `protocol` says which file it is. The addresses
 * are words of 32 bits in this machine's byte order, in hexadecimal. Source: proc_pid_net(5).
 */
export function parseSockets(text: string, protocol: 'tcp' | 'udp'): Socket[] {
  return text
    .split('\n')
    .slice(1)
    .flatMap(line => {
      const fields = line.trim().split(/\s+/)
      const local = /^([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4})$/.exec(fields[1] ?? '')
      if (!local || fields[3] !== WAITING[protocol]) return []
      return [
        {
          protocol,
          address: formatAddress(addressOf(local[1]!)),
          port: Number.parseInt(local[2]!, 16),
          inode: Number(fields[9]),
        },
      ]
    })
}

/** All machines that minictr runs on are little-endian. */
function addressOf(digits: string): Address {
  const words = digits.match(/.{8}/g)!.map(word => word.match(/../g)!.toReversed().join(''))
  return { family: digits.length === 8 ? 4 : 6, value: BigInt(`0x${words.join('')}`) }
}
