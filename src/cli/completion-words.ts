// What each command's arguments and flags may be: names of containers it can act on, of images, volumes and networks, or
// one of a few words.

import { readdirSync } from 'node:fs'
import { constants } from 'node:os'
import { capabilityNames } from '../runtime/capabilities.ts'
import type { GlobalOptions } from './command.ts'
import type { FlagName } from './completion-flags.ts'
import { completionScripts, directive } from './completion-scripts.ts'

export type Completed = { words: { word: string; about?: string }[]; bits: number }

type Kind =
  | 'all'
  | 'running'
  | 'going'
  | 'paused'
  | 'stopped'
  | 'images'
  | 'volumes'
  | 'networks'
  | 'files'
  | 'container-path'
  | 'shells'
  | 'objects'

/** What stands at each place of a command's arguments; the last one counts for those that follow, `none` for none. */
const places: Record<string, (Kind | 'none')[]> = {
  attach: ['running', 'none'],
  completion: ['shells', 'none'],
  cp: ['container-path', 'container-path', 'none'],
  'container inspect': ['all'],
  create: ['images', 'files'],
  diff: ['all', 'none'],
  exec: ['running', 'files'],
  export: ['all', 'none'],
  history: ['images', 'none'],
  'image from-host': ['none', 'files'],
  'image history': ['images', 'none'],
  'image inspect': ['images'],
  'image ls': ['images', 'none'],
  'image pull': ['images', 'none'],
  'image rm': ['images'],
  images: ['images', 'none'],
  inspect: ['objects'],
  kill: ['running'],
  logs: ['all', 'none'],
  'network connect': ['networks', 'all', 'none'],
  'network create': ['none'],
  'network disconnect': ['networks', 'all', 'none'],
  'network inspect': ['networks'],
  'network rm': ['networks'],
  pause: ['going'],
  port: ['running', 'none'],
  pull: ['images', 'none'],
  rename: ['all', 'none'],
  restart: ['all'],
  rm: ['all'],
  rmi: ['images'],
  run: ['images', 'files'],
  start: ['stopped'],
  stats: ['running'],
  stop: ['running'],
  'system recover': ['all'],
  tag: ['images', 'none'],
  top: ['running', 'none'],
  unpause: ['paused'],
  update: ['all'],
  'volume inspect': ['volumes'],
  'volume rm': ['volumes'],
  wait: ['running'],
}

/** The words that a flag takes; where it says nothing else, files. */
const values: Record<string, string[] | Kind | 'none'> = {
  '--aux-address': 'none',
  '--blkio-weight': 'none',
  '--cap-add': 'none',
  '--cgroupns': ['private', 'host'],
  '--cpu-period': 'none',
  '--cpu-quota': 'none',
  '--cpu-shares': 'none',
  '--cpus': 'none',
  '--cpuset-cpus': 'none',
  '--cpuset-mems': 'none',
  '--detach-keys': 'none',
  '--driver': 'none',
  '--entrypoint': 'none',
  '--env': 'none',
  '--expose': 'none',
  '--filter': 'none',
  '--format': ['json', 'table'],
  '--gateway': 'none',
  '--hostname': 'none',
  '--ip': 'none',
  '--ip-range': 'none',
  '--ip6': 'none',
  '--ipc': ['none', 'private', 'shareable', 'host', 'container:'],
  '--label': 'none',
  '--last': 'none',
  '--link': 'running',
  '--log-driver': ['json-file', 'none'],
  '--log-opt': ['max-size=', 'max-file='],
  '--mac-address': 'none',
  '--memory': 'none',
  '--memory-reservation': 'none',
  '--memory-swap': 'none',
  '--mount': ['type=bind,', 'type=volume,', 'type=tmpfs,'],
  '--name': 'none',
  '--network': 'networks',
  '--network-alias': 'none',
  '--opt': 'none',
  '--pid': ['host', 'container:'],
  '--pids-limit': 'none',
  '--platform': ['linux/amd64', 'linux/arm64', 'linux/386', 'linux/arm/v7'],
  '--publish': 'none',
  '--pull': ['always', 'missing', 'never'],
  '--restart': ['no', 'on-failure', 'always', 'unless-stopped'],
  '--security-opt': [
    'no-new-privileges',
    'seccomp=',
    'systempaths=unconfined',
    'apparmor=unconfined',
    'label=disable',
  ],
  '--since': 'none',
  '--subnet': 'none',
  '--tail': ['all'],
  '--time': 'none',
  '--timeout': 'none',
  '--type': ['container', 'image', 'network', 'volume'],
  '--until': 'none',
  '--user': 'none',
  '--userns': ['host'],
  '--uts': ['host'],
  '--volumes-from': 'all',
}

/** The words for the argument at a place of a command. */
export async function argumentWords(
  command: string,
  place: number,
  current: string,
  globals: GlobalOptions,
): Promise<Completed> {
  const kinds = places[command] ?? places[command.replace(/^container /, '')]
  const kind = kinds?.[Math.min(place, kinds.length - 1)] ?? 'none'
  return await wordsOf(kind, current, globals)
}

/** The words for a flag's value; `prefix` is what stands before it in the same word, `--name=`. */
export async function flagValueWords(
  flag: FlagName,
  prefix: string,
  current: string,
  globals: GlobalOptions,
): Promise<Completed> {
  const known = flag.names.find(name => Object.hasOwn(values, name) || dynamic(name) !== undefined)
  const wanted = known === undefined ? 'files' : (dynamic(known) ?? values[known]!)
  const { words, bits } = Array.isArray(wanted)
    ? { words: wanted.map(word => ({ word })), bits: directive.noFiles | unfinished(wanted, current) }
    : await wordsOf(wanted, current.slice(prefix.length), globals)
  return { words: words.map(({ word, ...rest }) => ({ word: prefix + word, ...rest })), bits }
}

/** Lists that are known elsewhere. */
function dynamic(flag: string): string[] | undefined {
  if (flag === '--signal' || flag === '--stop-signal') return Object.keys(constants.signals)
  if (flag === '--cap-add' || flag === '--cap-drop')
    return ['ALL', ...capabilityNames.map(name => name.replace(/^CAP_/, ''))]
  return undefined
}

/** No space behind a word that is only a beginning. */
function unfinished(words: string[], current: string): number {
  const left = words.filter(word => word.startsWith(current.replace(/^--[a-z-]+=/, '')))
  return left.length > 0 && left.every(word => /[=:,]$/.test(word)) ? directive.noSpace : 0
}

async function wordsOf(kind: Kind | 'none', current: string, globals: GlobalOptions): Promise<Completed> {
  switch (kind) {
    case 'none':
      return named([])
    case 'files':
      return { words: [], bits: directive.none }
    case 'shells':
      return named(Object.keys(completionScripts))
    case 'images':
      return named(await imageNames(globals))
    case 'volumes':
      return named(namesIn(`${globals.root}/volumes`))
    case 'networks':
      return named([...new Set(['bridge', 'host', 'none', ...namesIn(`${globals.root}/networks/names`)])])
    case 'objects':
      return named([
        ...(await containerNames('all', current, globals)),
        ...(await imageNames(globals)),
        ...namesIn(`${globals.root}/volumes`),
        ...namesIn(`${globals.root}/networks/names`),
      ])
    case 'container-path': {
      // A path of this host, or the name of a container, whose paths only the container knows.
      if (current.includes(':')) return { words: [], bits: directive.noFiles }
      const names = /^[./]/.test(current) ? [] : await containerNames('all', current, globals)
      const words = names.map(name => ({ word: `${name}:` }))
      return {
        words,
        bits: words.some(({ word }) => word.startsWith(current)) ? directive.noSpace : directive.none,
      }
    }
    default:
      return named(await containerNames(kind, current, globals))
  }
}

function named(names: string[]): Completed {
  return { words: names.map(word => ({ word })), bits: directive.noFiles }
}

/** Names, and ids where one has been begun. */
async function containerNames(
  which: 'all' | 'running' | 'going' | 'paused' | 'stopped',
  current: string,
  globals: GlobalOptions,
): Promise<string[]> {
  const [{ listContainers }, { isPaused }] = await Promise.all([
    import('../containers/lookup.ts'),
    import('../containers/frozen.ts'),
  ])
  const chosen = listContainers(globals).filter(container => {
    if (which === 'all') return true
    if (which === 'stopped') return container.status !== 'running'
    if (container.status !== 'running') return false
    return which === 'running' || isPaused(container) === (which === 'paused')
  })
  const ids = current === '' ? [] : chosen.map(({ id }) => id.slice(0, Math.max(12, current.length)))
  return [...chosen.map(({ name }) => name), ...ids].sort()
}

async function imageNames({ root }: GlobalOptions): Promise<string[]> {
  const [{ listImages }, { ImageStore }] = await Promise.all([
    import('../images/catalog.ts'),
    import('../images/store.ts'),
  ])
  return listImages(new ImageStore(`${root}/images`))
    .flatMap(({ tags }) => tags)
    .sort()
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory).filter(name => /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/.test(name))
  } catch {
    return []
  }
}
