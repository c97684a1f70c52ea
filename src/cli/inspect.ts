// minictr inspect: all that is known about something, whatever it is.

import { Command } from 'commander'
import { parseReference } from '../images/reference.ts'
import { MinictrError } from '../system/error.ts'
import type { GlobalOptions } from './command.ts'
import { printInspected } from './inspected.ts'
import { usageError } from './usage-error.ts'

type Flags = { format?: string; size?: boolean; type?: string }

/** What describes the thing of a name; undefined where there is none of its kind. */
type Look = (name: string) => object | undefined

type Kind = {
  look(globals: GlobalOptions, options: { size: boolean }): Promise<Look>
  /** The error where something of this kind alone was asked for. */
  missing(name: string): string
}

/** What can be inspected, in the order in which a name is looked up. */
const kinds: Record<string, Kind> = {
  container: {
    look: async (globals, options) => {
      const [{ recover }, { lookUpContainer }, { describeContainer }] = await Promise.all([
        import('../containers/recover.ts'),
        import('../containers/lookup.ts'),
        import('../containers/inspect.ts'),
      ])
      await recover(globals)
      return name => {
        const container = lookUpContainer(globals, name)
        return container && describeContainer(container, globals, options)
      }
    },
    missing: name => `No such container: ${name}`,
  },
  image: {
    look: async ({ root }) => {
      const [{ ImageStore }, { LayerStore }, { findInCatalog }, { describeImage }] = await Promise.all([
        import('../images/store.ts'),
        import('../images/layers.ts'),
        import('../images/catalog.ts'),
        import('../images/inspect.ts'),
      ])
      const store = new ImageStore(`${root}/images`)
      const layers = new LayerStore(`${root}/layers`)
      return name => {
        const isThere = isImageName(name) && store.find(name) !== undefined
        return isThere ? describeImage(findInCatalog(store, name), layers) : undefined
      }
    },
    missing: name => `No such image: ${name}`,
  },
  network: {
    look: async globals => {
      const [{ listNetworks }, { lookUpNetwork }, { NetworkStore }, { describeNetwork }] = await Promise.all([
        import('../containers/networks.ts'),
        import('../networks/network.ts'),
        import('../networks/store.ts'),
        import('./network-inspect.ts'),
      ])
      const store = new NetworkStore(globals)
      const networks = listNetworks(globals)
      return name => {
        const network = lookUpNetwork(networks, name)
        return network && describeNetwork(network, store)
      }
    },
    missing: name => `network ${name} not found`,
  },
  volume: {
    look: async ({ root }) => {
      const [{ VolumeStore }, { describeVolume }] = await Promise.all([
        import('../volumes/store.ts'),
        import('./volume-inspect.ts'),
      ])
      const store = new VolumeStore(root)
      return name => {
        const volume = store.read(name)
        return volume && describeVolume(volume, store)
      }
    },
    missing: name => `get ${name}: no such volume`,
  },
}

/** The `inspect` command of commander. */
export function command(globals: GlobalOptions): Command {
  return new Command('inspect')
    .summary('Return low-level information on minictr objects')
    .description('Return low-level information on containers, images, networks and volumes')
    .usage('[OPTIONS] NAME|ID [NAME|ID...]')
    .argument('<name...>', 'names or ids')
    .option('-f, --format <string>', "'json', or a Go template that is filled with each object")
    .option('-s, --size', 'Display total file sizes if the type is container')
    .option('--type <string>', `Only inspect objects of the given type: ${Object.keys(kinds).join(', ')}`)
    .addHelpText(
      'after',
      `
Examples:
  minictr inspect web
  minictr inspect -f '{{.State.Status}} {{.State.Pid}}' web
  minictr inspect -f '{{json .Config.Env}}' web
  minictr inspect -f '{{range .Mounts}}{{println .Source .Destination}}{{end}}' web
  minictr inspect -f '{{index .Config.Labels "use"}}' web
  minictr inspect --type image debian:trixie`,
    )
    .action((names: string[], flags: Flags) => perform(names, flags, globals))
}

async function perform(
  names: string[],
  { format, size, type }: Flags,
  globals: GlobalOptions,
): Promise<void> {
  if (type !== undefined && !Object.hasOwn(kinds, type)) {
    const known = Object.keys(kinds).map(name => JSON.stringify(name))
    throw usageError(`unknown type: "${type}": must be one of ${known.join(', ')}`, 'minictr inspect')
  }
  const asked = type === undefined ? Object.values(kinds) : [kinds[type]!]
  const looks = await Promise.all(asked.map(kind => kind.look(globals, { size: size === true })))
  const inspect = (name: string): object => {
    for (const look of looks) {
      const found = look(name)
      if (found) return found
    }
    throw new MinictrError(type === undefined ? `No such object: ${name}` : kinds[type]!.missing(name))
  }
  printInspected(names, inspect, format)
}

/** What names something else may be a name that no image can have. */
function isImageName(text: string): boolean {
  try {
    parseReference(text)
    return true
  } catch {
    return /^(?:sha256:)?[0-9a-f]{64}$/.test(text)
  }
}
