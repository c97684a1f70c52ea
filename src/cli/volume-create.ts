// minictr volume create: a volume before any container has it.

import { Command } from 'commander'
import { recordEvent } from '../containers/events.ts'
import { MinictrError } from '../system/error.ts'
import { randomBytes } from '../system/random.ts'
import { VolumeStore } from '../volumes/store.ts'
import { checkDriver, newVolume } from '../volumes/volume.ts'
import type { GlobalOptions } from './command.ts'
import { checkLabel, toRecord } from './flags/variables.ts'
import { repeatable } from './repeatable.ts'

type Flags = { driver: string; label?: string[]; opt?: string[]; name?: string }

/** The `volume create` command of commander. */
export function command(globals: GlobalOptions): Command {
  return new Command('create')
    .summary('Create a volume')
    .description('Create a volume')
    .usage('[OPTIONS] [VOLUME]')
    .argument('[volume]', 'its name; without one, 64 random digits')
    .option('-d, --driver <string>', 'Specify volume driver name', 'local')
    .option('--label <list>', 'Set metadata for a volume', repeatable)
    .option('-o, --opt <map>', 'Set driver specific options: type, device, o', repeatable)
    .option('--name <string>', 'The name, as older versions of Docker take it')
    .addHelpText(
      'after',
      `
Examples:
  minictr volume create data
  minictr volume create --label use=cache
  minictr volume create -o type=tmpfs -o device=tmpfs -o o=size=100m scratch
  minictr volume create -o type=none -o o=bind -o device=/srv/web web`,
    )
    .action((name: string | undefined, flags: Flags) => perform(name, flags, globals))
}

async function perform(given: string | undefined, flags: Flags, globals: GlobalOptions): Promise<void> {
  if (given !== undefined && flags.name !== undefined) {
    throw new MinictrError('conflicting options: either specify --name or provide positional arg, not both')
  }
  const named = given ?? flags.name
  const name = named === undefined || named === '' ? undefined : named
  checkDriver(flags.driver)
  const store = new VolumeStore(globals.root)
  const volume = newVolume(
    {
      ...(name !== undefined && { name }),
      labels: toRecord((flags.label ?? []).map(checkLabel)),
      driverOptions: toRecord(flags.opt ?? []),
    },
    name ?? randomBytes(32).toString('hex'),
    new Date().toISOString(),
  )
  if (store.read(volume.name) === undefined) {
    await store.create(volume)
    const attributes = { driver: volume.driver }
    recordEvent(globals, { type: 'volume', action: 'create', id: volume.name, attributes })
  }
  process.stdout.write(`${volume.name}\n`)
}
