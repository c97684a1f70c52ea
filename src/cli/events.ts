// minictr events: what happens to containers, images, networks and volumes, as it happens.

import { Command } from 'commander'
import { eventFilter } from '../containers/event-filter.ts'
import { type RecordedEvent, readEvents } from '../containers/event-stream.ts'
import { parseMoment } from '../containers/moment.ts'
import { MinictrError } from '../system/error.ts'
import { visibleOn } from '../system/visible.ts'
import type { GlobalOptions } from './command.ts'
import { repeatable } from './repeatable.ts'
import { compileTemplate } from './template.ts'

type Flags = { since?: string; until?: string; filter: string[]; format?: string }

/** The `events` command of commander. */
export function command(globals: GlobalOptions): Command {
  return new Command('events')
    .summary('Get real time events')
    .description('Tell what happens to containers, images, networks and volumes, as it happens')
    .usage('[OPTIONS]')
    .option('-f, --filter <filter>', 'Filter output based on conditions provided', repeatable, [])
    .option('--format <string>', "'json', or a Go template for each event")
    .option('--since <string>', 'Show all events created since a time, or so long ago')
    .option('--until <string>', 'Stream events until this time')
    .addHelpText(
      'after',
      `
Filters:
  event=ACTION                 create, start, die, exec_start, health_status, …
  type=TYPE                    container, image, network, volume
  container=, image=, network=, volume=NAME
  label=NAME, label=NAME=VALUE

Examples:
  minictr events                                  from now on, until Ctrl-C
  minictr events --since 10m --until 0s           the last ten minutes
  minictr events --filter event=die --filter container=web
  minictr events --format '{{.Action}} {{.Actor.Attributes.name}}'
  minictr events --format json | jq .Action`,
    )
    .action((flags: Flags) => perform(flags, globals))
}

async function perform({ since, until, filter, format }: Flags, globals: GlobalOptions): Promise<void> {
  const nowMs = Date.now()
  const keep = eventFilter(filter)
  const show = formatOf(format)
  const span = {
    ...(since !== undefined && { sinceNs: parseMoment(since, 'since', nowMs) }),
    // Without a beginning, an end of 0 is now, as in Docker.
    ...(until !== undefined && {
      untilNs: parseMoment(until === '0' && since === undefined ? '0s' : until, 'until', nowMs),
    }),
  }
  if (span.sinceNs !== undefined && span.untilNs !== undefined && span.sinceNs > span.untilNs) {
    const [from, to] = [span.sinceNs, span.untilNs].map(ns => ns / 1_000_000_000n)
    throw new MinictrError(`\`since\` time (${from}) cannot be after \`until\` time (${to})`, {
      remedy: 'A number is seconds since 1970; how long ago something was has a unit: --until 0s is now.',
    })
  }
  await readEvents(globals, span, async event => {
    if (!keep(event)) return
    await new Promise(resolve => process.stdout.write(visibleOn(process.stdout, `${show(event)}\n`), resolve))
  })
}

function formatOf(format: string | undefined): (event: RecordedEvent) => string {
  if (format === undefined) return plainLine
  if (format === 'json') return event => event.json
  const fill = compileTemplate(format)
  return event => fill(new GoMessage(event))
}

/** `2026-11-21T09:30:00.123456789Z container start ID (image=debian, name=web)`, in this host's time. */
function plainLine({ type, action, id, attributes, timeNs }: RecordedEvent): string {
  const pairs = Object.keys(attributes)
    .sort()
    .map(name => `${name}=${attributes[name]}`)
  return `${localTime(timeNs)} ${type} ${action} ${id}${pairs.length > 0 ? ` (${pairs.join(', ')})` : ''}`
}

function localTime(timeNs: bigint): string {
  const date = new Date(Number(timeNs / 1_000_000n))
  const offsetMinutes = -date.getTimezoneOffset()
  const local = new Date(date.getTime() + offsetMinutes * 60_000).toISOString().slice(0, 19)
  const zone = `${offsetMinutes < 0 ? '-' : '+'}${new Date(Math.abs(offsetMinutes) * 60_000).toISOString().slice(11, 16)}`
  return `${local}.${String(timeNs % 1_000_000_000n).padStart(9, '0')}${offsetMinutes === 0 ? 'Z' : zone}`
}

/** An event under the names Go has for it; `{{json .}}` gives those of JSON (moby, api/types/events). */
class GoMessage {
  Status: string
  ID: string
  From: string
  Type: string
  Action: string
  Actor: { ID: string; Attributes: Map<string, string> }
  Scope = 'local'
  Time: number
  TimeNano: bigint
  readonly #json: string

  constructor({ type, action, id, attributes, timeNs, json }: RecordedEvent) {
    const isOld = type === 'container' || type === 'image'
    this.Status = isOld ? action : ''
    this.ID = isOld ? id : ''
    this.From = type === 'container' ? (attributes.image ?? '') : ''
    this.Type = type
    this.Action = action
    this.Actor = { ID: id, Attributes: new Map(Object.entries(attributes)) }
    this.Time = Number(timeNs / 1_000_000_000n)
    this.TimeNano = timeNs
    this.#json = json
  }

  toJSON(): unknown {
    return rawJson(this.#json)
  }
}

/** Text that JSON.stringify takes over as it is (ECMAScript, proposal-json-parse-with-source): numbers beyond 2^53. */
function rawJson(json: string): unknown {
  const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown }
  const fields = JSON.parse(json)
  return { ...fields, timeNano: rawJSON(/"timeNano":(\d+)\}$/.exec(json)![1]!) }
}
