// minictr volume inspect: all that is known about volumes.

import { Command } from 'commander'
import { NilMap } from '../images/nil.ts'
import { MinictrError } from '../system/error.ts'
import { VolumeStore } from '../volumes/store.ts'
import type { Volume } from '../volumes/volume.ts'
import type { GlobalOptions } from './command.ts'
import { printInspected } from './inspected.ts'

/** What `volume inspect` tells, with Docker's names in Docker's order. */
export type VolumeDescription = {
  CreatedAt: string
  Driver: string
  Labels: Map<string, string>
  Mountpoint: string
  Name: string
  Options: Map<string, string>
  Scope: 'local'
}

/** The `volume inspect` command of commander. */
export function command(globals: GlobalOptions): Command {
  return new Command('inspect')
    .summary('Display detailed information on one or more volumes')
    .description('Display detailed information on one or more volumes')
    .usage('[OPTIONS] VOLUME [VOLUME...]')
    .argument('<volume...>', 'names')
    .option('-f, --format <string>', "'json', or a Go template that is filled with each volume")
    .addHelpText(
      'after',
      `
Examples:
  minictr volume inspect data
  minictr volume inspect -f '{{.Mountpoint}}' data
  minictr volume inspect -f '{{json .Labels}}' data`,
    )
    .action((names: string[], { format }: { format?: string }) => {
      const store = new VolumeStore(globals.root)
      printInspected(names, name => describeVolume(findVolume(store, name), store), format)
    })
}

/** The volume of this name. Throws MinictrError where there is none. */
export function findVolume(store: VolumeStore, name: string): Volume {
  const volume = store.read(name)
  if (volume) return volume
  throw new MinictrError(`get ${name}: no such volume`, {
    remedy: '`minictr volume ls` lists the volumes there are.',
  })
}

/** A volume as Docker's API tells of it (moby, api/types/volume). */
export function describeVolume(volume: Volume, store: VolumeStore): VolumeDescription {
  const { name, driver, labels, options, createdAt } = volume
  return {
    CreatedAt: createdAt.replace(/\.\d+Z$/, 'Z'),
    Driver: driver,
    Labels: mapOf(labels),
    Mountpoint: store.dataOf(name),
    Name: name,
    Options: mapOf(options),
    Scope: 'local',
  }
}

function mapOf(record: Record<string, string>): Map<string, string> {
  const entries = Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1))
  return entries.length > 0 ? new Map(entries) : new NilMap()
}
