// The lines of `ps`: every field as Docker prints it.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { CONTAINER_TITLES, containerRow, type RowContext } from '../../../src/cli/container-row.ts'
import { quoted } from '../../../src/cli/quoted.ts'
import { statusText } from '../../../src/cli/status-text.ts'
import { formatRows } from '../../../src/cli/table.ts'
import type { Condition, State } from '../../../src/containers/condition.ts'
import { endpoint, IMAGE_ID, listed } from '../containers/listed.ts'

const MINUTE = 60_000
const CREATED = Date.parse('2026-01-02T03:04:05.678Z')

const context: RowContext = {
  nowMs: CREATED + 5 * MINUTE,
  truncates: true,
  imageId: name => (name.startsWith('debian') ? IMAGE_ID : undefined),
  sizeOf: () => ({ writtenBytes: 3, layerBytes: 124_000_000 }),
}

const row = (record = {}, change: Partial<RowContext> = {}) =>
  containerRow(listed({ state: 'created' }, { record }), { ...context, ...change })

describe('a line of ps', () => {
  it('has all of Docker’s fields', () => {
    const mounts = [
      { type: 'bind' as const, source: '/srv', destination: '/b', isReadOnly: false },
      { type: 'tmpfs' as const, source: '', destination: '/run', isReadOnly: false },
      { type: 'volume' as const, name: 'v'.repeat(64), source: '/v', destination: '/d', isReadOnly: false },
    ]
    const { Label, ...fields } = row({ mounts, labels: { b: '2', a: '1' }, command: ['sleep', '100'] })
    assert.deepEqual(fields, {
      ID: 'abababababab',
      Image: 'debian',
      Command: '"sleep 100"',
      CreatedAt: '2026-01-02 03:04:05 +0000 UTC',
      RunningFor: '5 minutes ago',
      Ports: '',
      State: 'created',
      Status: 'Created',
      Size: '3B (virtual 124MB)',
      Names: 'web',
      Labels: 'a=1,b=2',
      Mounts: `/srv,${'v'.repeat(14)}…`,
      LocalVolumes: '1',
      Networks: 'bridge',
    })
    assert.deepEqual(Object.keys(row()).sort(), Object.keys(CONTAINER_TITLES).sort())
    assert.equal(typeof Label, 'function')
  })

  it('has the ports of a container that runs in a network of its own', () => {
    const record = {
      networkMode: 'bridge',
      networks: [{ name: 'bridge', aliases: [] }],
      ports: {
        exposed: [
          { port: 80, protocol: 'tcp' as const },
          { port: 53, protocol: 'udp' as const },
        ],
        published: [],
        publishesAll: false,
      },
    }
    const bound = { port: 80, protocol: 'tcp' as const, hostAddress: '0.0.0.0', hostPort: 8080 }
    const endpoints = [endpoint({ ports: [bound] })]
    const portsOf = (state: State, change = {}) =>
      containerRow(listed({ state }, { record: { ...record, ...change }, endpoints }), context).Ports
    assert.equal(portsOf('running'), '53/udp, 0.0.0.0:8080->80/tcp')
    assert.equal(portsOf('exited'), '')
    assert.equal(portsOf('running', { networkMode: 'host', networks: [] }), '')
    assert.equal(portsOf('running', { networkMode: 'container:ab', networks: [] }), '')
  })

  it('is not cut with --no-trunc', () => {
    const command = ['sh', '-c', 'echo a long line of a shell']
    const whole = row({ command }, { truncates: false })
    assert.equal(whole.ID, 'ab'.repeat(32))
    assert.equal(whole.Command, `"sh -c 'echo a long line of a shell'"`)
    assert.equal(row({ command }).Command, `"sh -c 'echo a long …"`)
  })

  it('measures a container only when its size is asked for', () => {
    let measured = 0
    const sizeOf = () => {
      measured++
      return { writtenBytes: 0, layerBytes: 0 }
    }
    const rows = [row({}, { sizeOf })]
    assert.equal(formatRows(rows, '{{.Names}}', CONTAINER_TITLES), 'web\n')
    assert.equal(measured, 0)
    assert.equal(formatRows(rows, '{{.Size}}', CONTAINER_TITLES), '0B\n')
    assert.equal(measured, 1)
  })

  it('names the image as long as the name is its, and its id afterwards', () => {
    const image = (name: string, change = {}) =>
      row({ image: { name, id: IMAGE_ID, digest: '' } }, change).Image
    assert.equal(image('debian:trixie'), 'debian:trixie')
    assert.equal(image('docker.io/library/debian'), '111111111111', 'a name that is another image’s by now')
    assert.equal(image('gone'), '111111111111')
    assert.equal(image('gone', { truncates: false }), IMAGE_ID)
    const imageId = () => IMAGE_ID
    assert.equal(image('docker.io/library/debian', { imageId }), 'debian')
    assert.equal(image(`debian@sha256:${'2'.repeat(64)}`, { imageId }), 'debian')
    assert.equal(image('11111111', { imageId }), '11111111')
    assert.equal(image('1111111111111111', { imageId }), '111111111111')
  })

  it('takes labels by name, in a table with titles of their own', () => {
    const rows = [row({ labels: { 'com.example.some-use': 'test' } }), row()]
    assert.equal(
      formatRows(
        rows,
        'table {{.Names}}\t{{.Label "com.example.some-use"}}\t{{upper .Names}}',
        CONTAINER_TITLES,
      ),
      'NAMES     some use   NAMES\nweb       test       WEB\nweb                  WEB\n',
    )
  })

  it('is JSON by the names of its fields, whatever way it is asked for', () => {
    const json = formatRows([row()], 'json', CONTAINER_TITLES)
    assert.equal(formatRows([row()], '{{json .}}', CONTAINER_TITLES), json)
    const names = Object.keys(JSON.parse(json))
    assert.deepEqual(names, [...names].sort())
    assert.ok(names.includes('Size') && !names.includes('Label'))
  })
})

describe('the status of ps', () => {
  const now = 10 * MINUTE
  const text = (state: State, change: Parameters<typeof listed>[1] = {}, health?: string) => {
    const condition = {
      state,
      ...(health !== undefined && { health: { status: health, failingStreak: 0, log: [] } }),
    } as Condition
    return statusText(listed(condition, change).container, condition, now)
  }
  const exit = { exitStatus: 1, signal: null, finishedAtMs: now - 4000 }
  const cases: [text: string, expected: string][] = [
    [text('created'), 'Created'],
    [text('running'), 'Up 10 minutes'],
    [text('paused'), 'Up 10 minutes (Paused)'],
    [text('running', {}, 'healthy'), 'Up 10 minutes (healthy)'],
    [text('running', {}, 'starting'), 'Up 10 minutes (health: starting)'],
    [text('paused', {}, 'healthy'), 'Up 10 minutes (Paused)'],
    [text('restarting', { exit }), 'Restarting (1) 4 seconds ago'],
    [text('exited', { exit }), 'Exited (1) 4 seconds ago'],
    [text('exited'), 'Exited (unknown)'],
    [text('exited', { exit: { ...exit, exitStatus: null } }), 'Exited (unknown)'],
  ]
  for (const [actual, expected] of cases) it(expected, () => assert.equal(actual, expected))
})

describe('a quoted text', () => {
  it('is as Go quotes it, on one line', () => {
    assert.equal(quoted('a "b" \\ c\n\td'), '"a \\"b\\" \\\\ c\\n\\td"')
    assert.equal(quoted('\x1b[31m\x07\x0b\x7f \\u001b é'), '"\\x1b[31m\\a\\v\\x7f \\\\u001b é"')
    assert.equal(quoted('\u202e'), '"\\u202e"')
  })
})
