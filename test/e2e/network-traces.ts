// What there is of a container that is in networks: seen from inside, in its files, in its networks' files, and on the host.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Networked, pidOf } from './networked.ts'

type Shown = Record<string, unknown>

/** Chosen anew each time, or counted; or what the kernel does by itself a moment later. */
const changing =
  /^(ifindex|link_index|link_netnsid|link|id|linkName|operstate|.*_life_time|packets|bytes|handle|createdAt)$/
const ofKernel = /^(fe80|ff00|multicast)/

/**
 * All of it, the same for two containers that are in the same networks in the same way. Of the host without what belongs to the
 * bridges of these names, which stay for the next container.
 */
export function networkTraces(debian: Networked, name: string, bridges: string[] = []): unknown {
  const { root, runRoot } = debian.store()
  const id = readFileSync(join(root, 'names', name), 'utf8')
  const directory = join(root, 'containers', id)
  const networks = join(runRoot, 'networks')
  const places = namesBelow(networks).filter(path => /(^|\/)(addresses|endpoints|hosts|links)\/./.test(path))
  const isRunning = existsSync(join(runRoot, id, 'state.json'))
  const traces = {
    files: readdirSync(directory).sort(),
    texts: ['hosts', 'resolv.conf', 'container.json'].map(file =>
      readFileSync(join(directory, file), 'utf8'),
    ),
    inside:
      isRunning && seenIn(debian, ['nsenter', '--target', String(pidOf(debian.store(), name)), '--net']),
    places: places.map(path => [path, readFileSync(join(networks, path), 'utf8')]),
    host: seenIn(debian, []).filter(
      each => !bridges.some(bridge => JSON.stringify(each).includes(`"${bridge}"`)),
    ),
  }
  const text = JSON.stringify(traces)
    .replaceAll(id, 'ID')
    .replaceAll(id.slice(0, 12), 'ID')
    .replaceAll(/\\"(id|linkName|createdAt)\\": \\"[^"]*\\"/g, 'chosen')
    .replaceAll(/mctr\w+/g, 'LINK')
  const told = JSON.parse(text) as { places: string[][] }
  // Ids are others each time, and so is their order.
  return { ...told, places: told.places.map(place => place.join('\n')).sort() }
}

function namesBelow(directory: string): string[] {
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true })
  return entries
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name).slice(directory.length + 1))
}

/** Links, addresses, routes and rules, where the entrance leads; each an entry. */
function seenIn(debian: Networked, entrance: string[]): Shown[] {
  const run = (...words: string[]): Shown[] => {
    const [program, ...args] = [...entrance, ...words]
    return JSON.parse(debian.host().run(program!, args) || '[]')
  }
  const { nftables } = run('nft', '-j', 'list', 'ruleset') as unknown as { nftables: Shown[] }
  const routes = ['-4', '-6'].flatMap(family => run('ip', '-j', family, 'route', 'show', 'table', 'all'))
  const all = [...run('ip', '-j', 'address'), ...routes, ...nftables.flatMap(elementsApart)]
  return all.filter(({ dst }) => !ofKernel.test(String(dst))).map(settled)
}

/** A set by its elements, so that those of one bridge can be left out. */
function elementsApart(object: Shown): Shown[] {
  const [[kind, value] = ['', {}]] = Object.entries(object) as [string, Shown & { elem?: unknown[] }][]
  if (kind !== 'set' && kind !== 'map') return [object]
  const { elem = [], ...set } = value
  return [set, ...elem.map(element => ({ of: value.name, element }))]
}

function settled(value: Shown): Shown {
  // The host's end of a pair has a hardware address of the kernel's choice.
  const isChosen = /^mctr/.test(String(value.ifname))
  return JSON.parse(
    JSON.stringify(value, (key, each) => {
      if (changing.test(key) || (isChosen && key === 'address')) return undefined
      if (key === 'flags' && Array.isArray(each))
        return each.filter(flag => !['LOWER_UP', 'NO-CARRIER', 'linkdown'].includes(flag))
      if (key === 'addr_info') return each.filter(({ local }: { local: string }) => !ofKernel.test(local))
      return each
    }),
  )
}
