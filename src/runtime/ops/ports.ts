// Ops that bring ports of the host to containers: rules of nft(8), servers beside them, and a process that holds the ports.

import type { OpOf, PublishedPort } from '../op.ts'
import { words } from '../shell.ts'
import { enteringNetwork, slotOf } from './links.ts'
import { cString, type Rows } from './row.ts'

type PortOp = 'nft' | 'run_program' | 'publish' | 'unpublish' | 'hold_ports'

const nftCandidates = ['/usr/sbin/nft', '/sbin/nft', '/usr/bin/nft']
const programCalls = ['clone', 'fork', 'execve', 'wait4', 'waitid']

/** One row for each op on ports and the programs that serve them. */
export const portRows: Rows<PortOp> = {
  nft: {
    man: 'nft(8)',
    syscalls: programCalls,
    arguments: (op, resolve) => [
      nftCandidates,
      ['nft', '-f', '-'],
      Buffer.from(op.commands),
      slotOf(op.netns, resolve),
    ],
    show: op => `${entering(op)}execve("nft", ["nft", "-f", "-"]), which reads ${cString(op.commands)}`,
    shell: op => ({ run: enteringNetwork(op.netns) + words('nft', op.commands) }),
  },
  run_program: {
    man: 'execve(2)',
    syscalls: programCalls,
    arguments: (op, resolve) => [op.candidates, op.argv, new Uint8Array(), slotOf(op.netns, resolve)],
    show: op =>
      `fork(), ${entering(op)}execve(${op.candidates.length > 1 ? 'first of ' : ''}${op.candidates.map(cString).join(' ')}, [${op.argv.map(cString).join(', ')}]), waitpid()`,
    shell: op => ({ run: enteringNetwork(op.netns) + words(...op.argv) }),
  },
  publish: {
    man: 'bind(2)',
    syscalls: [...programCalls, 'socket', 'bind', 'listen'],
    arguments: op => [op.ports.map(portText)],
    show: op => `fork(), ${op.ports.map(showPort).join(', ')}`,
    shell: () => ({
      none: 'a script holds no ports: another program may take them. What the rules of the kernel do not carry, socat(1) could relay',
    }),
    // Where no monitor undoes it, that one has ended, and its ports are free.
    inverse: () => [{ op: 'unpublish', tolerate: ['ENOSYS'] }],
  },
  unpublish: {
    man: 'kill(2)',
    syscalls: ['kill', 'wait4', 'waitid'],
    arguments: () => [],
    show: () => 'kill(proxy, SIGKILL), waitpid(proxy)',
    shell: () => ({ none: 'a script holds no ports' }),
  },
  hold_ports: {
    man: 'bind(2)',
    syscalls: [...programCalls, 'socket', 'bind', 'listen', 'pidfd_open'],
    arguments: op => [
      ['/proc/self/exe'],
      ['minictr-helper', 'hold', op.pidFile, String(op.pid), ...op.ports.map(portText)],
      new Uint8Array(),
      -1,
    ],
    show: op => `fork(), ${op.ports.map(showPort).join(', ')}, pidfd_open(${op.pid}, 0)`,
    shell: () => ({ none: 'a script holds no ports: another program may take them' }),
    inverse: op => [endServer(op.pidFile)],
  },
}

function entering({ netns }: { netns?: { slot: string } }): string {
  return netns ? `setns(${netns.slot}, CLONE_NEWNET), ` : ''
}

const SERVER_END_MS = 5_000

/** Ends what has left its PID in the file, if it still runs. */
export function endServer(pidFile: string): OpOf<'end_server'> {
  return { op: 'end_server', pidFile, timeoutMs: SERVER_END_MS }
}

/** As native/proxy.c reads it. */
function portText(port: PublishedPort): string {
  const { protocol, hostAddress, hostPort, containerAddress, containerPort, count = 1 } = port
  return [protocol, hostAddress, hostPort, containerAddress, containerPort, count].join(' ')
}

const socketTypes = { tcp: 'SOCK_STREAM', udp: 'SOCK_DGRAM', sctp: 'SOCK_STREAM, IPPROTO_SCTP' }

function showPort({ protocol, hostAddress, hostPort, count = 1 }: PublishedPort): string {
  const family = hostAddress.includes(':') ? 'AF_INET6' : 'AF_INET'
  const ports = count === 1 ? hostPort : `each of ${hostPort}-${hostPort + count - 1}`
  return `bind(socket(${family}, ${socketTypes[protocol]}), {${hostAddress}, ${ports}})`
}
