// Why a step of a container's networks failed, in words that say what to do now.

import { hostPorts } from '../networks/host-network.ts'
import { bracketed, ownerOf, portTaken, type TakenPort } from '../networks/port-bindings.ts'
import { NetworkStore } from '../networks/store.ts'
import type { StepError } from '../runtime/step-error.ts'
import { MinictrError } from '../system/error.ts'
import { LostRaceError } from './lost-race.ts'
import type { Roots } from './state.ts'

/** The error to tell in place of a step's own; undefined where that says all there is to say. */
export function networkError(error: StepError, roots: Roots): MinictrError | undefined {
  const { step, errno, said, op } = error.failure
  const kind = step.id.replace(/-\d+$/, '')
  if (kind === 'claim-addresses' && errno === 'EEXIST') {
    return lostRace('another container has taken an address just now', error)
  }
  if (kind === 'claim-addresses' && op.op === 'access')
    return lostRace('a network was removed just now', error)
  if (kind === 'hold-ports' && errno === 'EADDRINUSE') return portError(said ?? '', roots, error)
  if (kind === 'hold-ports' && errno === 'EADDRNOTAVAIL') {
    const { where } = portOf(said ?? '')
    return new MinictrError(`failed to bind host port for ${where}: cannot assign requested address`, {
      remedy: '`ip address` shows the addresses of this host.',
      cause: error,
    })
  }
  if (kind === 'start-name-server' || kind.endsWith('start-resolver')) return serverError(error)
  return undefined
}

function lostRace(message: string, cause: StepError): LostRaceError {
  return new LostRaceError(message, { remedy: 'Try again.', cause })
}

/** `said` begins as the proxy tells it: `tcp 0.0.0.0 8080`. */
function portOf(said: string): { taken: Pick<TakenPort, 'protocol' | 'address' | 'port'>; where: string } {
  const [protocol = 'tcp', address = '0.0.0.0', port = '0'] = said.split(/\s+/)
  return {
    taken: { protocol: protocol as TakenPort['protocol'], address, port: Number(port) },
    where: `${bracketed(address)}:${port}`,
  }
}

function portError(said: string, roots: Roots, cause: StepError): MinictrError {
  const { taken, where } = portOf(said)
  const holder = ownerOf(taken, [...new NetworkStore(roots).publishedPorts(), ...hostPorts()])
  const told = portTaken(holder ?? { ...taken, program: () => 'a program of this host' }, where)
  return new MinictrError(told.message, { remedy: told.remedy, cause })
}

function serverError(error: StepError): MinictrError | undefined {
  const { op, errno } = error.failure
  if (op.op === 'run_program' && errno === 'ENOENT') {
    return new MinictrError('the network needs a DNS server, and dnsmasq is not installed', {
      remedy: 'apt install dnsmasq-base, or use the default network, which has none.',
      cause: error,
    })
  }
  // Somebody has the address, and it is no server of ours.
  if (op.op !== 'access') return undefined
  return new MinictrError(
    'the DNS server of the network cannot have port 53 of its gateway: address already in use',
    {
      remedy:
        '`ss -lnp sport = :53` shows who has it: a server that takes all addresses of this host can be told not to.',
      cause: error,
    },
  )
}
