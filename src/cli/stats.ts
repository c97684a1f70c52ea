// minictr stats: what containers use of the machine, each second anew.

import { Command } from 'commander'
import { findContainer, listActive, listContainers, lookUpContainer } from '../containers/lookup.ts'
import { recover } from '../containers/recover.ts'
import { type Container, readContainer } from '../containers/state.ts'
import {
  cpuPercent,
  type MachineUsage,
  readMachineUsage,
  readUsage,
  type Usage,
} from '../containers/usage.ts'
import { delay } from '../system/delay.ts'
import { MinictrError } from '../system/error.ts'
import { hostFacts } from '../system/host-facts.ts'
import { visibleOn } from '../system/visible.ts'
import type { GlobalOptions } from './command.ts'
import { humanMemory, humanSize } from './human.ts'
import { formatRows, type Row } from './table.ts'

type Flags = { all?: boolean; format?: string; stream: boolean; trunc: boolean }

const TITLES = {
  Container: 'CONTAINER',
  Name: 'NAME',
  ID: 'CONTAINER ID',
  CPUPerc: 'CPU %',
  MemUsage: 'MEM USAGE / LIMIT',
  MemPerc: 'MEM %',
  NetIO: 'NET I/O',
  BlockIO: 'BLOCK I/O',
  PIDs: 'PIDS',
}

const TABLE =
  'table {{.ID}}\t{{.Name}}\t{{.CPUPerc}}\t{{.MemUsage}}\t{{.MemPerc}}\t{{.NetIO}}\t{{.BlockIO}}\t{{.PIDs}}'

const INTERVAL_MS = 1000

/** The `stats` command of commander. */
export function command(globals: GlobalOptions): Command {
  return new Command('stats')
    .summary('Display a live stream of container(s) resource usage statistics')
    .description('Display a live stream of container(s) resource usage statistics, each second, until Ctrl-C')
    .usage('[OPTIONS] [CONTAINER...]')
    .argument('[container...]', 'names, ids, or beginnings of ids; without any, all that run')
    .option('-a, --all', 'Show all containers (default shows just running)')
    .option('--format <string>', "'table', 'table TEMPLATE', 'json', or a Go template for each container")
    .option('--no-stream', 'Disable streaming stats and only pull the first result')
    .option('--no-trunc', 'Do not truncate output')
    .addHelpText(
      'after',
      `
CPU % counts each CPU as 100. Memory is without what the kernel would give back
of files at once. A container with the network of the host has no NET I/O of its
own.

Fields of templates:
  Container Name ID CPUPerc MemUsage MemPerc NetIO BlockIO PIDs

Examples:
  minictr stats
  minictr stats --no-stream web db
  minictr stats --no-stream --format 'table {{.Name}}\\t{{.CPUPerc}}\\t{{.MemPerc}}'
  minictr stats --format json | jq .MemUsage`,
    )
    .action((names: string[], flags: Flags) => perform(names, flags, globals))
}

/** What is looked at: a container, and how it was asked for. */
type Watched = { container: Container; as: string }

/** What there was to see of containers at one moment. */
type Sample = { machine: MachineUsage; usages: Map<string, Usage> }

async function perform(names: string[], flags: Flags, globals: GlobalOptions): Promise<void> {
  await recover(globals)
  const watched = names.length > 0 ? namedOnes(names, globals) : () => allOfThem(flags, globals)
  const format = flags.format === undefined || flags.format === 'table' ? TABLE : flags.format
  const isLive = flags.stream && process.stdout.isTTY
  if (isLive) process.stdout.write('\x1b[2J')
  for (let before = sampleOf(watched()); ; ) {
    await delay(INTERVAL_MS)
    const shown = watched()
    const after = sampleOf(shown)
    const rows = shown.map(each => rowOf(each, before, after, flags.trunc))
    const text = visibleOn(process.stdout, formatRows(rows, format, TITLES))
    await new Promise(resolve => process.stdout.write(isLive ? redrawn(text) : text, resolve))
    if (!flags.stream || (names.length > 0 && shown.length === 0)) return
    before = after
  }
}

/** Each as it is at the time, as long as it is there. Throws MinictrError that names all that are not there at first. */
function namedOnes(names: string[], globals: GlobalOptions): () => Watched[] {
  const missing = names.filter(name => lookUpContainer(globals, name) === undefined)
  if (missing.length > 0) {
    throw new MinictrError(missing.map(name => `No such container: ${name}`).join('\n'), {
      remedy: '`minictr ps -a` lists the containers there are.',
    })
  }
  const found = names.map(as => ({ as, id: findContainer(globals, as).id }))
  return () =>
    found.flatMap(({ as, id }) => {
      const container = readContainer(globals, id)
      return container ? { as, container } : []
    })
}

function allOfThem({ all }: Flags, globals: GlobalOptions): Watched[] {
  const containers = all ? listContainers(globals) : listActive(globals)
  return containers.map(container => ({ container, as: container.id.slice(0, 12) }))
}

function sampleOf(watched: Watched[]): Sample {
  const machine = readMachineUsage()
  const usages = new Map<string, Usage>()
  for (const { container } of watched) {
    const usage = readUsage(container, machine, hostFacts())
    if (usage) usages.set(container.id, usage)
  }
  return { machine, usages }
}

function rowOf({ container, as }: Watched, before: Sample, after: Sample, truncates: boolean): Row {
  const { id, name } = container
  const usage = after.usages.get(id) ?? NOTHING
  return usageRow(usage, {
    Container: as,
    Name: name,
    ID: truncates ? id.slice(0, 12) : id,
    CPUPerc: percent(
      cpuPercent(
        { usage: before.usages.get(id) ?? usage, machine: before.machine },
        { usage, machine: after.machine },
      ),
    ),
  })
}

/** Of a container that does not run. */
const NOTHING: Usage = {
  cpuNs: 0,
  memoryBytes: 0,
  memoryLimitBytes: 0,
  receivedBytes: 0,
  sentBytes: 0,
  readBytes: 0,
  writtenBytes: 0,
  processes: 0,
}

/** The columns of a usage, behind those that are known already. Source: docker/cli, container/formatter_stats.go. */
export function usageRow(usage: Usage, known: Row): Row {
  const { memoryBytes, memoryLimitBytes } = usage
  return {
    ...known,
    MemUsage: `${humanMemory(memoryBytes)} / ${humanMemory(memoryLimitBytes)}`,
    MemPerc: percent(memoryLimitBytes > 0 ? (memoryBytes / memoryLimitBytes) * 100 : 0),
    NetIO: `${humanSize(usage.receivedBytes)} / ${humanSize(usage.sentBytes)}`,
    BlockIO: `${humanSize(usage.readBytes)} / ${humanSize(usage.writtenBytes)}`,
    PIDs: String(usage.processes),
  }
}

function percent(value: number): string {
  return `${value.toFixed(2)}%`
}

/** Over what the screen shows, line by line, so that it does not flicker (ECMA-48: CUP, EL, ED). */
function redrawn(text: string): string {
  return `\x1b[H${text.replaceAll('\n', '\x1b[K\n')}\x1b[J`
}
