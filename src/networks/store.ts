// The networks there are: <root>/networks/<id>/network.json and, for each, a file that claims its name; who is in them is
// below the run root, and dies with the kernel's links at a reboot.

import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import type { Op } from '../runtime/op.ts'
import { performOps } from '../runtime/perform-ops.ts'
import { recordNetworkOps, removeNetworkOps } from '../runtime/steps/network-records.ts'
import { errnoOf } from '../system/errno.ts'
import { MinictrError } from '../system/error.ts'
import { withLock } from '../system/lock.ts'
import { randomBytes } from '../system/random.ts'
import { type Address, parseAddress } from './address.ts'
import type { Endpoint } from './endpoint.ts'
import { checkNetworkName, DEFAULT_NETWORK, fixedNetworks, type Network, networkText } from './network.ts'
import type { TakenPort } from './port-bindings.ts'

/** How the names of networks begin that are being made or removed. */
const ASIDE = '.aside-'
/** What is behind the name of a record whose network is being removed. */
const REMOVED = '.removed'

export type NetworkRoots = { root: string; runRoot: string }

/** The networks of one root. Those that are there in name alone, `host` and `none`, are among them. */
export class NetworkStore {
  readonly directory: string
  readonly runDirectory: string

  constructor({ root, runRoot }: NetworkRoots) {
    this.directory = `${root}/networks`
    this.runDirectory = `${runRoot}/networks`
  }

  directoryOf(id: string): string {
    return `${this.directory}/${id}`
  }

  /** Holds the id of the network that has the name. */
  nameFile(name: string): string {
    return `${this.directory}/names/${name}`
  }

  /** Where its endpoints, claimed addresses and the files of its DNS server lie. */
  runDirectoryOf(id: string): string {
    return `${this.runDirectory}/${id}`
  }

  /** Made exclusively by whoever takes the address; holds the container's id. */
  addressFile(id: string, address: string): string {
    return `${this.runDirectoryOf(id)}/addresses/${address}`
  }

  endpointFile(id: string, containerId: string): string {
    return `${this.runDirectoryOf(id)}/endpoints/${containerId}.json`
  }

  recordFile(id: string): string {
    return `${this.directoryOf(id)}/network.json`
  }

  /** Written when all that the kernel needs of the network is there. */
  readyFile(id: string): string {
    return `${this.runDirectoryOf(id)}/ready`
  }

  /** The files of its DNS server, and where they lie. */
  nameServer(id: string) {
    const directory = this.runDirectoryOf(id)
    return { lockFile: `${directory}/dns.lock`, pidFile: `${directory}/dns.pid`, hosts: `${directory}/hosts` }
  }

  /** The PID of a container's own DNS server. */
  resolverPidFile(containerId: string): string {
    return `${this.runDirectory}/resolvers/${containerId}.pid`
  }

  /** The PID of what holds a container's ports, where they were published while it ran. */
  holderPidFile(containerId: string): string {
    return `${this.runDirectory}/holders/${containerId}.pid`
  }

  /** Says that one container, which runs, has a link to another one. */
  linkFile(linkedId: string, linkingId: string): string {
    return `${this.runDirectory}/links/${linkedId}-${linkingId}`
  }

  /** The ids of containers that have a link to this one. */
  linkingContainers(linkedId: string): string[] {
    return namesIn(`${this.runDirectory}/links`)
      .filter(name => name.startsWith(`${linkedId}-`))
      .map(name => name.slice(linkedId.length + 1))
  }

  /** The network of exactly this id; a directory without a whole record is none. */
  read(id: string): Network | undefined {
    const fixed = fixedNetworks.find(network => network.id === id)
    return fixed ?? readJson<Network>(this.recordFile(id))
  }

  /** All of them, in no order. */
  list(): Network[] {
    return [...this.#ids().flatMap(id => this.read(id) ?? []), ...fixedNetworks]
  }

  #ids(): string[] {
    return namesIn(this.directory).filter(name => /^[0-9a-f]{64}$/.test(name))
  }

  /** The network of exactly this name. */
  byName(name: string): Network | undefined {
    if (name === DEFAULT_NETWORK.name) return this.read(DEFAULT_NETWORK.id)
    const fixed = fixedNetworks.find(network => network.name === name)
    if (fixed || !/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/.test(name)) return fixed
    const id = readText(this.nameFile(name))
    return id === undefined ? undefined : this.read(id)
  }

  /** Who is in the network now. */
  endpoints(id: string): Endpoint[] {
    const directory = `${this.runDirectoryOf(id)}/endpoints`
    return namesIn(directory)
      .filter(name => !name.startsWith('.'))
      .flatMap(name => readJson<Endpoint>(`${directory}/${name}`) ?? [])
  }

  /** The place of a container in the network; undefined where it is not in it. */
  endpoint(id: string, containerId: string): Endpoint | undefined {
    return readJson<Endpoint>(this.endpointFile(id, containerId))
  }

  /** The places of a container in all networks, in the order of its links. */
  endpointsOf(containerId: string): Endpoint[] {
    const inOrder = (a: Endpoint, b: Endpoint) =>
      a.interfaceName.localeCompare(b.interfaceName, 'en', { numeric: true })
    return namesIn(this.runDirectory)
      .flatMap(id => this.endpoint(id, containerId) ?? [])
      .sort(inOrder)
  }

  /** The ports of the host that containers have, in whichever network. */
  publishedPorts(): TakenPort[] {
    return namesIn(this.runDirectory).flatMap(id =>
      this.endpoints(id).flatMap(({ containerName, ports }) =>
        ports.map(({ protocol, hostAddress, hostPort }) => ({
          protocol,
          address: hostAddress,
          port: hostPort,
          container: containerName,
        })),
      ),
    )
  }

  /** Whether a container is in the network, or is about to join it. */
  isUsed(id: string): boolean {
    return this.claimedAddresses(id).length > 0 || this.endpoints(id).length > 0
  }

  /** The addresses that containers have in the network. */
  claimedAddresses(id: string): Address[] {
    return namesIn(`${this.runDirectoryOf(id)}/addresses`).flatMap(name => parseAddress(name) ?? [])
  }

  /**
   * Records the network that `decide` makes in view of those there are; nobody else makes one meanwhile, so that no subnet
   * is given twice. Throws MinictrError, in Docker's words, for a name that is none or taken, and what `decide` throws.
   */
  async create(name: string, decide: (others: Network[]) => Network): Promise<Network> {
    checkNetworkName(name)
    return await this.#alone(async () => {
      if (this.byName(name)) throw new MinictrError(`network with name ${name} already exists`)
      const network = decide(this.list())
      const files = { ...this.#files(network.id, name), aside: this.#aside(), record: networkText(network) }
      // A claim without a network is of somebody who was killed, as nobody else is here.
      const stale = readText(this.nameFile(name))
      const leftover = stale === undefined ? [] : removeNetworkOps(this.#files(stale, name), this.#aside())
      await performOps([...leftover, ...this.#removeAsides(), ...recordNetworkOps(files)])
      return network
    })
  }

  /**
   * Removes a network that nobody is in, with what `inKernel` removes. No container can join it from the moment on in which it is
   * found that nobody is in it: its record has another name by then, and whoever joins looks for it once his address is
   * claimed. Throws what `inUse` makes of it where somebody is in it.
   */
  remove(network: Network, inKernel: readonly Op[], inUse: () => Error): Promise<void> {
    return this.#alone(async () => {
      const file = this.recordFile(network.id)
      const isUsed = () => this.isUsed(network.id)
      if (isUsed()) throw inUse()
      await performOps([{ op: 'rename', path: file, to: file + REMOVED, tolerate: ['ENOENT'] }])
      if (isUsed()) {
        await performOps([{ op: 'rename', path: file + REMOVED, to: file, tolerate: ['ENOENT'] }])
        throw inUse()
      }
      await performOps(this.#removal(network, inKernel))
    })
  }

  /** Networks whose removal was begun by somebody who was killed. */
  halfRemoved(): Network[] {
    return this.#ids().flatMap(id => {
      const isWhole = readText(this.recordFile(id)) !== undefined
      return isWhole ? [] : (readJson<Network>(this.recordFile(id) + REMOVED) ?? [])
    })
  }

  /** Removes what is left of such a one. */
  finishRemoval(network: Network, inKernel: readonly Op[]): Promise<void> {
    return this.#alone(() => performOps(this.#removal(network, inKernel)).then(() => {}))
  }

  /** The record last, which tells what else is to be removed. */
  #removal({ id, name }: Network, inKernel: readonly Op[]): Op[] {
    return [
      ...inKernel,
      { op: 'remove_tree', path: this.runDirectoryOf(id), tolerate: ['ENOENT'] },
      ...removeNetworkOps(this.#files(id, name), this.#aside()),
      ...this.#removeAsides(),
    ]
  }

  #files(id: string, name: string) {
    return { id, directory: this.directoryOf(id), nameFile: this.nameFile(name) }
  }

  #aside(): string {
    return `${this.directory}/${ASIDE}${randomBytes(8).toString('hex')}`
  }

  /** What was being made or removed when somebody was killed. */
  #removeAsides(): Op[] {
    return namesIn(this.directory)
      .filter(name => name.startsWith(ASIDE))
      .map(name => ({ op: 'remove_tree', path: `${this.directory}/${name}`, tolerate: ['ENOENT'] }))
  }

  /** Held by whoever makes or removes networks. */
  get lockFile(): string {
    return `${this.directory}/.lock`
  }

  #alone<T>(action: () => Promise<T>): Promise<T> {
    mkdirSync(this.directory, { recursive: true, mode: 0o711 })
    return withLock(this.lockFile, action)
  }
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return []
    throw error
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw error
  }
}

/** A record that is half is none. */
function readJson<T>(path: string): T | undefined {
  const text = readText(path)
  if (text === undefined) return undefined
  try {
    return JSON.parse(text) as T
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
