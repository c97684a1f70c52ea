// What is kept of containers: names, ids, labels, exit records, the writable layer; and the images they are made of.

import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { namesIn, useDebian } from './debian.ts'

const debian = useDebian()

function containerDirectory(): string {
  const { root } = debian.store()
  const ids = namesIn(join(root, 'containers'))
  assert.equal(ids.length, 1)
  return join(root, 'containers', ids[0]!)
}

describe('a container run without --rm', () => {
  it('stays: its end, its configuration and what it wrote; rm takes all of it', async () => {
    const flags = ['--name', 'stays', '--label', 'a=b', '--label', 'c']
    const run = debian.startKept(flags, ['sh', '-c', 'echo text > /root/file; exit 7'])
    assert.equal((await run.outcome).status, 7)
    const directory = containerDirectory()
    assert.equal(readFileSync(join(directory, 'upper/root/file'), 'utf8'), 'text\n')
    const { labels } = JSON.parse(readFileSync(join(directory, 'container.json'), 'utf8'))
    assert.deepEqual(labels, { a: 'b', c: '' })
    const record = JSON.parse(readFileSync(join(directory, 'exit.json'), 'utf8'))
    assert.deepEqual([record.exitStatus, record.signal], [7, null])
    assert.ok(Math.abs(record.finishedAtMs - Date.now()) < 60_000)
    assert.doesNotMatch((await debian.minictr('ps')).stdout, /stays/)
    assert.match((await debian.minictr('ps', '-a')).stdout, /Exited \(7\) .* ago +stays\n/)
    assert.deepEqual(await debian.minictr('rm', 'stays'), { status: 0, stdout: 'stays\n', stderr: '' })
    assert.equal(existsSync(directory), false)
    assert.doesNotMatch((await debian.minictr('ps', '-a')).stdout, /stays/)
  })

  it('remembers the signal that ended it', async () => {
    await debian.startKept(['--init', '--name', 'killed'], ['bash', '-c', 'kill -KILL $PPID $$']).outcome
    const { stdout } = await debian.minictr('ps', '-a')
    assert.match(stdout, /Exited \(137\) /)
    assert.equal((await debian.minictr('rm', 'killed')).status, 0)
  })

  it('keeps its name from being taken, and gives it back when removed', async () => {
    await debian.startKept(['--name', 'mine'], ['true']).outcome
    const second = await debian.run(['--name', 'mine'], ['true'])
    assert.equal(second.status, 125)
    assert.match(
      second.stderr,
      /^minictr: Conflict\. The container name "\/mine" is already in use by container "[0-9a-f]{64}"\..*\nminictr rm mine\n$/,
    )
    assert.equal((await debian.minictr('rm', 'mine')).status, 0)
    assert.equal((await debian.run(['--name', 'mine'], ['true'])).status, 0)
  })

  it('has a name made up for it where none is given', async () => {
    await debian.startKept([], ['true']).outcome
    const name = /(\w+_\w+)\n$/.exec((await debian.minictr('ps', '-a')).stdout)?.[1]
    assert.ok(name)
    assert.equal((await debian.minictr('rm', name)).status, 0)
  })

  it('is not removed while it runs, unless forced', async () => {
    const running = debian.startKept(['--name', 'busy'], ['sh', '-c', 'echo ready; sleep 1000; true'])
    while (running.output() === '') await new Promise(resolve => setTimeout(resolve, 10))
    const refused = await debian.minictr('rm', 'busy')
    assert.equal(refused.status, 1)
    assert.match(refused.stderr, /container is running: stop the container before removing or force remove/)
    assert.equal((await debian.minictr('rm', '-f', 'busy')).status, 0)
    assert.equal((await running.outcome).status, 137)
  })
})

describe('--name, --cidfile and --label-file', () => {
  it('of two runs at once with one name, one is refused', async () => {
    const runs = [1, 2].map(() => debian.run(['--name', 'contested'], ['sleep', '0.5']))
    const outcomes = await Promise.all(runs)
    assert.deepEqual(outcomes.map(({ status }) => status).sort(), [0, 125])
    assert.match(
      outcomes.find(({ status }) => status === 125)!.stderr,
      /Conflict\. The container name "\/contested"/,
    )
  })

  it('takes no name with other characters', async () => {
    const { status, stderr } = await debian.run(['--name', 'a/b'], ['true'])
    assert.equal(status, 125)
    assert.match(stderr, /Invalid container name \(a\/b\), only \[a-zA-Z0-9\]\[a-zA-Z0-9_\.-\] are allowed/)
  })

  it('writes the id into a file that was not there', async () => {
    const file = join(debian.directory(), 'id')
    const script = 'cat /proc/self/cgroup'
    const { stdout } = await debian.run(['--cidfile', file], ['sh', '-c', script])
    const id = readFileSync(file, 'utf8')
    assert.match(id, /^[0-9a-f]{64}$/)
    assert.ok(stdout.includes(`/minictr/${id}`) || stdout.includes('0::/\n'))
    const again = await debian.run(['--cidfile', file], ['true'])
    assert.equal(again.status, 125)
    assert.match(
      again.stderr,
      /container ID file found, make sure the other container isn't running or delete/,
    )
    assert.equal(readFileSync(file, 'utf8'), id)
  })

  it('reads labels from a file', async () => {
    const file = join(debian.directory(), 'labels')
    writeFileSync(file, '# a comment\nx=1\ny\n')
    await debian.startKept(['--name', 'labelled', '--label-file', file, '-l', 'x=2'], ['true']).outcome
    const { labels } = JSON.parse(readFileSync(join(containerDirectory(), 'container.json'), 'utf8'))
    assert.deepEqual(labels, { x: '2', y: '' })
    assert.equal((await debian.minictr('rm', 'labelled')).status, 0)
  })
})

describe('--pull and --platform', () => {
  it('never asks a registry for an image that is here, unless told to', async () => {
    // The registry it came from is gone by now.
    assert.equal((await debian.run(['--pull', 'missing'], ['true'])).status, 0)
    assert.equal((await debian.run(['--pull', 'never'], ['true'])).status, 0)
    const { status, stderr } = await debian.run(['--pull', 'always'], ['true'])
    assert.equal(status, 125)
    assert.match(stderr, /Registry 127\.0\.0\.1:\d+ does not answer/)
  })

  it('says that an image is not here', async () => {
    const { status, stderr } = await debian.minictr('run', '--rm', '--pull', 'never', 'nosuch:1', 'true')
    assert.equal(status, 125)
    assert.match(stderr, /^minictr: No such image: nosuch:1\n/)
  })

  it('takes no other word', async () => {
    const { status, stderr } = await debian.run(['--pull', 'sometimes'], ['true'])
    assert.equal(status, 125)
    assert.match(stderr, /invalid pull option: 'sometimes': must be one of "always", "missing" or "never"/)
  })

  it('refuses an image for another platform', async () => {
    const platform = process.arch === 'arm64' ? 'linux/amd64' : 'linux/arm64'
    const { status, stderr } = await debian.run(['--platform', platform, '--pull', 'never'], ['true'])
    assert.equal(status, 125)
    assert.match(stderr, new RegExp(platform))
    const own = process.arch === 'arm64' ? 'linux/arm64' : 'linux/amd64'
    assert.equal((await debian.run(['--platform', own], ['true'])).status, 0)
  })
})

describe('flags that Docker has and minictr has not', () => {
  it('are refused by name, before anything is done', async () => {
    for (const flags of [
      ['--gpus', 'all'],
      ['--device-read-bps', '/dev/null:1mb'],
      ['--blkio-weight-device', '/dev/null:100'],
    ]) {
      const { status, stderr, stdout } = await debian.run(flags, ['echo', 'started'])
      assert.deepEqual({ status, stdout }, { status: 125, stdout: '' }, flags.join(' '))
      assert.match(stderr, /^minictr: .*\S/)
    }
  })
})
