// Config of `inspect`: what is run, as the image and the user have it together.

import { hostname } from 'node:os'
import { NilList, NilMap, omittedConfig, withOmitted } from '../images/nil.ts'
import { portName } from '../networks/ports.ts'
import { describeHealthCheck } from './health-check.ts'
import type { Container } from './state.ts'

/** Describes it. Source: moby, api/types/container/config.go. */
export function describeConfig({
  record,
  spec,
}: Pick<Container, 'record' | 'spec'>): Record<string, unknown> {
  const { asked, entrypoint, command, stopSignal, stopTimeoutSeconds } = record
  const volumes = record.mounts.filter(({ isAnonymous }) => isAnonymous).map(({ destination }) => destination)
  const exposed = record.ports.exposed.map(portName)
  const isAttached = (stream: 'stdin' | 'stdout' | 'stderr') =>
    !asked.detach && (asked.attach?.includes(stream) ?? (stream !== 'stdin' || record.stdin !== 'none'))
  const description = {
    Hostname: spec.hostname ?? hostname(),
    Domainname: spec.domainname ?? '',
    User: record.user,
    AttachStdin: isAttached('stdin'),
    AttachStdout: isAttached('stdout'),
    AttachStderr: isAttached('stderr'),
    ...(exposed.length > 0 && { ExposedPorts: setOf(exposed) }),
    Tty: spec.process.terminal === true,
    OpenStdin: record.stdin !== 'none',
    StdinOnce: record.stdin === 'once',
    Env: record.environment,
    Cmd: orNil(command),
    ...(record.health && { Healthcheck: describeHealthCheck(record.health) }),
    Image: record.image.name,
    Volumes: volumes.length > 0 ? setOf(volumes) : new NilMap(),
    WorkingDir: spec.process.cwd === '/' ? '' : spec.process.cwd,
    Entrypoint: orNil(entrypoint),
    OnBuild: new NilList(),
    Labels: mapOf(record.labels),
    ...(stopSignal !== undefined && { StopSignal: stopSignal }),
    ...(stopTimeoutSeconds !== undefined && { StopTimeout: stopTimeoutSeconds }),
  }
  return withOmitted(description, omittedConfig())
}

/** A map as Go prints one, by its keys. */
export function mapOf<Value>(record: Record<string, Value>): Map<string, Value> {
  return new Map(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** A list, or what Go has for one that nobody made. */
export function orNil<Value>(list: Value[] | undefined): Value[] {
  return list && list.length > 0 ? list : new NilList()
}

function setOf(names: string[]): Map<string, object> {
  return mapOf(Object.fromEntries(names.map(name => [name, {}])))
}
