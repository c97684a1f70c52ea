// A boot: the processes, the cgroups and the run root are gone, what lies on the disk is there, and the init calls minictr.

import assert from 'node:assert/strict'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { readJson } from '../../src/containers/json-file.ts'
import { listContainers } from '../../src/containers/lookup.ts'
import { containerPaths, type RestartWait } from '../../src/containers/state.ts'
import { Journal } from '../../src/runtime/journal.ts'
import { hostFacts } from '../../src/system/host-facts.ts'
import { isRunning } from '../../src/system/process-identity.ts'
import { killIfThere } from '../fixtures/victims.ts'
import { assertNothingLeft, namesIn, useDebian, usersOf } from './debian.ts'
import { containerOf, eventsOf, isThereNamed, until } from './states.ts'

const debian = useDebian()

/** Does it and expects that it works. */
async function succeed(...args: string[]): Promise<string> {
  const { status, stdout, stderr } = await debian.minictr(...args)
  assert.deepEqual({ status, stderr }, { status: 0, stderr: '' }, args.join(' '))
  return stdout
}

/** Makes a container, or runs it in the background. */
async function make(
  how: 'create' | 'run',
  name: string,
  flags: string[],
  ...command: string[]
): Promise<void> {
  const words = command.length > 0 ? command : ['sleep', '1000']
  const detach = how === 'run' ? ['-d'] : []
  const all = [...detach, '--quiet', '--name', name, ...flags]
  await succeed(how, ...all, debian.store().image, ...words)
}

/** Ends the machine under all containers: nobody has the time to undo or to record anything. */
async function powerCut(): Promise<void> {
  const { root, runRoot } = debian.store()
  const containers = listContainers(debian.store())
  // First the monitors, which would have an end cleaned up; then who does that already, or waits to start a container again.
  for (const { id } of containers) {
    const monitor = new Journal(containerPaths(debian.store(), id).runDirectory).owner()
    if (monitor && isRunning(monitor)) killIfThere(monitor.pid)
  }
  await until('all processes are gone', () => {
    const left = usersOf(root)
    for (const pid of left) killIfThere(pid)
    return left.length === 0
  })
  for (const { id } of containers) await removeCgroups(id)
  // Again where one of those was just removing something in it: to Node, what goes by itself is the end of the matter.
  await until('the run root is gone', () => {
    rmSync(runRoot, { recursive: true, force: true })
    return !existsSync(runRoot)
  })
}

async function removeCgroups(id: string): Promise<void> {
  for (const { mountPoint } of hostFacts().cgroups) {
    const path = `${mountPoint}/minictr/${id}`
    await until('the cgroup is empty', () => {
      try {
        if (existsSync(path)) rmdirSync(path)
        return true
      } catch {
        return false
      }
    })
    // As the last container's end does.
    try {
      rmdirSync(`${mountPoint}/minictr`)
    } catch {
      // others are there, or it is gone
    }
  }
}

const statusOf = (name: string) => containerOf(debian, name).status

async function removeAll(): Promise<void> {
  const names = listContainers(debian.store()).map(({ name }) => name)
  if (names.length > 0) await succeed('rm', '-f', ...names)
  await assertNothingLeft(debian.store())
}

const linesOf = (text: string) => text.split('\n').filter(line => line !== '')

describe('minictr system boot', () => {
  it('starts what restart policies want to run, and nothing else', async () => {
    await make('run', 'always', ['--restart', 'always'])
    await make('run', 'always-stopped', ['--restart', 'always'])
    await make('create', 'always-new', ['--restart', 'always'])
    await make('run', 'unless', ['--restart', 'unless-stopped'])
    await make('run', 'unless-stopped', ['--restart', 'unless-stopped'])
    await make('run', 'failure', ['--restart', 'on-failure:3'])
    await make('run', 'failure-stopped', ['--restart', 'on-failure'])
    await make('run', 'well', ['--restart', 'on-failure'], 'true')
    await make('run', 'no', [])
    await make('create', 'no-new', [])
    await succeed('stop', '-t', '0', 'always-stopped', 'unless-stopped', 'failure-stopped')
    await until('one has ended', async () => (await eventsOf(debian, 'well')).includes('die 0'))
    await powerCut()
    assert.match(await succeed('ps', '-a'), /Exited \(unknown\).* no\n/)
    const started = linesOf(await succeed('system', 'boot'))
    assert.deepEqual(started.sort(), ['always', 'always-new', 'always-stopped', 'failure', 'unless'])
    for (const name of started) {
      const { status, lifecycle } = containerOf(debian, name)
      assert.deepEqual([status, lifecycle?.restartCount], ['running', 0], name)
    }
    const left = ['unless-stopped', 'failure-stopped', 'well', 'no']
    for (const name of left) assert.equal(statusOf(name), 'exited', name)
    assert.equal(containerOf(debian, 'no').exit, undefined)
    assert.equal(statusOf('no-new'), 'created')
    assert.deepEqual(linesOf(await succeed('system', 'boot')), [], 'what runs is let alone')
    await removeAll()
  })

  it('removes what was to go at its end, with the volumes nobody named', async () => {
    await make('run', 'passing', ['--rm', '-v', '/data'])
    await make('create', 'never-ran', ['--rm'])
    assert.equal(linesOf(await succeed('volume', 'ls', '-q')).length, 1)
    await powerCut()
    assert.equal(await succeed('system', 'boot'), '')
    assert.ok(!isThereNamed(debian, 'passing') && !isThereNamed(debian, 'never-ran'))
    assert.equal(await succeed('volume', 'ls', '-q'), '')
    assert.deepEqual(await eventsOf(debian, 'passing'), ['destroy'])
    await removeAll()
  })

  it('starts a container whose restart was waited for when the power went', async () => {
    await make('run', 'loop', ['--restart', 'always'], 'false')
    await until('its restart is waited for', () => {
      const wait = readJson<RestartWait>(
        containerPaths(debian.store(), containerOf(debian, 'loop').id).restartWait,
      )
      return (wait?.delayMs ?? 0) >= 800
    })
    await powerCut()
    assert.deepEqual(linesOf(await succeed('system', 'boot')), ['loop'])
    await until('its policy goes on', () => (containerOf(debian, 'loop').lifecycle?.restartCount ?? 0) >= 1)
    await removeAll()
  })

  it('starts those first whose namespaces others join', async () => {
    await make('create', 'later', ['--restart', 'always'])
    await make('run', 'first', ['--restart', 'always'])
    await make('run', 'joining', ['--restart', 'always', '--network', 'container:first'])
    await powerCut()
    const started = linesOf(await succeed('system', 'boot'))
    assert.deepEqual(started, ['later', 'first', 'joining'])
    const network = (name: string) => readlinkSync(`/proc/${containerOf(debian, name).run!.pid}/ns/net`)
    assert.equal(network('joining'), network('first'))
    await removeAll()
  })

  it('goes on behind one that cannot be started, and says which', async () => {
    await make('run', 'broken', ['--restart', 'always'])
    await make('run', 'whole', ['--restart', 'always'])
    const { id } = containerOf(debian, 'broken')
    await powerCut()
    rmSync(join(containerPaths(debian.store(), id).directory, 'work'), { recursive: true })
    const { status, stdout, stderr } = await debian.minictr('system', 'boot')
    assert.deepEqual({ status, stdout }, { status: 1, stdout: 'whole\n' })
    assert.match(stderr, /^minictr: step \d+\/\d+ \(mount-overlay\) failed/)
    assert.equal(statusOf('broken'), 'exited')
    await removeAll()
  })

  it('removes what was half made when the power went', async () => {
    const { root, runRoot } = debian.store()
    const [dead, living] = ['d'.repeat(64), 'e'.repeat(64)]
    for (const id of [dead, living]) {
      mkdirSync(join(root, 'containers', id, 'upper'), { recursive: true })
      writeFileSync(join(root, 'names', id.slice(0, 4)), id)
    }
    // Somebody else is making this one.
    const own = readFileSync('/proc/self/stat', 'utf8').split(') ')[1]!.split(' ')[19]
    const run = join(runRoot, living)
    mkdirSync(run)
    const owner = { pid: process.pid, startTimeTicks: own }
    writeFileSync(join(run, 'journal'), `${JSON.stringify({ owner })}\n`)
    await succeed('system', 'boot')
    assert.deepEqual(namesIn(join(root, 'containers')), [living])
    assert.deepEqual(namesIn(join(root, 'names')).sort(), ['eeee'])
    rmSync(run, { recursive: true })
    await succeed('system', 'boot')
    assert.deepEqual(namesIn(join(root, 'containers')), [])
    assert.deepEqual(namesIn(join(root, 'names')), [])
  })
})

describe('a container whose layers the machine lost', () => {
  /** As if the power had gone before the kernel had written the layers: what there is of them is not to be believed. */
  function loseLayers(): void {
    const layers = join(debian.store().root, 'layers')
    for (const name of namesIn(layers)) {
      const record = join(layers, name, 'layer.json')
      const text = readFileSync(record, 'utf8').replace(/"bootId":"[^"]*"/, '"bootId":"of-another-boot"')
      // Removed first: the files of layers are those of other stores too.
      for (const [file, content] of [
        [record, text] as const,
        [join(layers, name, 'fs/etc/debian_version'), ''],
      ]) {
        rmSync(file)
        writeFileSync(file, content)
      }
      rmSync(join(layers, name, 'settled'), { force: true })
    }
  }

  it('has them unpacked again when it is started', async () => {
    await make('create', 'db', [], 'cat', '/etc/debian_version', '/kept')
    const { id } = containerOf(debian, 'db')
    writeFileSync(join(containerPaths(debian.store(), id).directory, 'upper/kept'), 'written by it\n')
    loseLayers()
    assert.match(await succeed('start', '--attach', 'db'), /^[0-9].*\nwritten by it\n$/)
    await removeAll()
  })

  it('is not started where its image is not here any more', async () => {
    await make('create', 'db', [], 'true')
    const images = join(debian.store().root, 'images')
    const index = readFileSync(join(images, 'index.json'), 'utf8')
    loseLayers()
    writeFileSync(join(images, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [] }))
    const { status, stderr } = await debian.minictr('start', 'db')
    writeFileSync(join(images, 'index.json'), index)
    assert.equal(status, 1)
    assert.match(stderr, /before the files of image \S*debian:trixie were on the disk.*minictr pull/s)
    await succeed('start', 'db')
    await removeAll()
  })
})

describe('minictr system shutdown', () => {
  it('stops all at once, each as it wants to be, until the next boot', async () => {
    const graceful = 'trap "echo ending > /ended; exit 0" TERM INT; while :; do sleep 0.05; done'
    await make('run', 'db', ['--restart', 'unless-stopped'], 'sh', '-c', graceful)
    await make('run', 'other', ['--restart', 'always', '--stop-signal', 'SIGINT'], 'sh', '-c', graceful)
    await make('run', 'failing', ['--restart', 'on-failure', '--stop-timeout', '0'])
    await make('run', 'loop', ['--restart', 'always'], 'false')
    await make('run', 'plain', ['--stop-timeout', '0'])
    const stopped = linesOf(await succeed('system', 'shutdown'))
    for (const name of ['db', 'other', 'failing', 'plain']) assert.ok(stopped.includes(name), name)
    for (const { name, status } of listContainers(debian.store())) assert.equal(status, 'exited', name)
    for (const name of ['db', 'other']) {
      const { id, exit, lifecycle } = containerOf(debian, name)
      assert.equal(exit?.exitStatus, 0)
      assert.equal(lifecycle?.isStoppedByUser, false)
      const ended = join(containerPaths(debian.store(), id).directory, 'upper/ended')
      assert.equal(readFileSync(ended, 'utf8'), 'ending\n')
    }
    const layers = join(debian.store().root, 'layers')
    for (const name of namesIn(layers)) assert.ok(existsSync(join(layers, name, 'settled')), name)
    await succeed('ps')
    assert.deepEqual(
      namesIn(debian.store().runRoot).filter(name => name !== 'events.jsonl'),
      [],
      'nothing waits to start any of them',
    )
    const started = linesOf(await succeed('system', 'boot'))
    assert.deepEqual(started.sort(), ['db', 'failing', 'loop', 'other'])
    await removeAll()
  })
})

describe('minictr system install-service', () => {
  it('writes and enables a unit that boots and shuts down, and uninstall-service takes it away', async () => {
    const directory = join(debian.directory(), 'system')
    const unit = join(directory, 'minictr.service')
    const link = join(directory, 'multi-user.target.wants/minictr.service')
    const flags = ['--directory', directory]
    assert.equal(await succeed('system', 'install-service', ...flags), `${unit}\n`)
    const text = readFileSync(unit, 'utf8')
    assert.equal(readFileSync(link, 'utf8'), text)
    assert.equal(lstatSync(unit).mode & 0o777, 0o644)
    assert.equal(await succeed('system', 'install-service', '--print'), text)
    const { root } = debian.store()
    assert.match(text, new RegExp(`^ExecStart=/\\S+ .*--root ${root} .*system boot$`, 'm'))
    assert.match(text, new RegExp(`^ExecStop=/\\S+ .*--root ${root} .*system shutdown$`, 'm'))
    assert.match(text, /^Type=oneshot\nRemainAfterExit=yes$/m)
    await succeed('system', 'install-service', ...flags)
    assert.equal(readFileSync(unit, 'utf8'), text)
    assert.equal(await succeed('system', 'uninstall-service', ...flags), '')
    assert.deepEqual(namesIn(directory), ['multi-user.target.wants'])
    assert.deepEqual(namesIn(join(directory, 'multi-user.target.wants')), [])
    const again = await debian.minictr('system', 'uninstall-service', ...flags)
    assert.equal(again.status, 1)
    assert.match(again.stderr, /has no minictr\.service/)
  })

  it('says what another init is to call', async t => {
    if (existsSync('/run/systemd/system')) return t.skip('this machine was booted with systemd')
    const { status, stderr } = await debian.minictr('system', 'install-service')
    assert.equal(status, 1)
    assert.match(stderr, /^minictr: this machine was not booted with systemd\n/)
    assert.match(stderr, /system boot\n.*system shutdown\n$/)
    assert.ok(!existsSync('/etc/systemd/system/minictr.service'))
  })
})
