// Hostile images: wherever their links, volumes and programs lead, it is inside, or the run is refused with the reason.

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { helperPath } from '../../src/system/executor.ts'
import type { Outcome } from '../fixtures/command-line.ts'
import { type Registry, startRegistry } from '../fixtures/registry.ts'
import { archive, type TestEntry } from '../fixtures/tar.ts'
import { useDebian } from './debian.ts'
import { pushVariant } from './variant.ts'

const debian = useDebian()
let registry: Registry
before(async () => {
  registry = await startRegistry()
})
after(() => registry?.stop())

const link = (path: string, target: string): TestEntry => ({ path, type: 'SymbolicLink', link: target })

/** A directory of the host that an image tries to reach, and what it holds and how. */
type Prey = { path: string; state(): string[] }

function makePrey(): Prey {
  const path = debian.directory()
  mkdirSync(join(path, 'sub'))
  for (const name of ['hosts', 'hostname', 'resolv.conf', 'null', 'keys']) {
    writeFileSync(join(path, name), 'of the host')
  }
  writeFileSync(join(path, 'passwd'), 'stranger:x:0:0::/:/bin/sh\n')
  const state = () =>
    (readdirSync(path, { recursive: true }) as string[]).sort().map(name => {
      const { mode, uid, size, mtimeMs, ino } = statSync(join(path, name))
      return [name, mode, uid, size, mtimeMs, ino].join(' ')
    })
  return { path, state }
}

type Attack = {
  /** What the image holds, given the directory of the host that it is after. */
  layer(prey: string): TestEntry[]
  config?: object
  flags?: string[]
  script?: string
}

/** Runs a shell in such an image; the host's directory is afterwards what it was. */
async function attacked({ layer, config = {}, flags = [], script = 'true' }: Attack): Promise<Outcome> {
  const prey = makePrey()
  const before = prey.state()
  const layers = { layer: archive(...layer(prey.path)) }
  const image = await pushVariant(debian, registry.host, config, layers)
  const run = ['run', '--rm', '--pull', 'always', '--quiet', ...flags, image]
  const outcome = await debian.minictr(...run, 'sh', '-c', script)
  assert.deepEqual(prey.state(), before)
  assert.doesNotMatch(outcome.stdout, /of the host/)
  return outcome
}

/** What the shell prints; the attack is to have no effect on it. */
async function contained(attack: Attack): Promise<string> {
  const { status, stdout, stderr } = await attacked(attack)
  assert.deepEqual({ status, stderr }, { status: 0, stderr: '' })
  return stdout.trimEnd()
}

async function refused(words: RegExp, attack: Attack): Promise<void> {
  const { status, stdout, stderr } = await attacked(attack)
  assert.deepEqual({ status, stdout }, { status: 125, stdout: '' })
  assert.match(stderr, words)
}

/** Tells of each of these files of the machine that can be read. */
const readMachine = 'cat /proc/keys /proc/timer_list /proc/interrupts 2>&- | head -c 10'

describe('links of an image to places of the host', () => {
  it('at /proc and /sys are refused, whether absolute or with ..', async () => {
    await refused(/\/proc is a symbolic link in the image/, { layer: prey => [link('proc', prey)] })
    await refused(/\/sys is a symbolic link in the image/, {
      layer: prey => [link('sys', `../../../../../../../..${prey}`)],
    })
  })

  it('at /dev and /etc lead to a place inside that is made for them', async () => {
    const layer = (prey: string) => [
      link('dev', `${prey}/sub`),
      link('etc', `../../../../../../../..${prey}/new/etc`),
    ]
    const script = 'ls /dev/ | xargs; echo x > /dev/null; head -n 1 /etc/hosts'
    const inside = await contained({ layer, script })
    assert.equal(
      inside,
      'core fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero\n127.0.0.1\tlocalhost',
    )
    assert.match(await contained({ layer, flags: ['-t'], script: 'tty' }), /\/sub\/pts\/0$/)
  })

  it('at the files of the network, the working directory and mount points stay inside', async () => {
    const script =
      'head -n 1 /etc/hosts; cat /etc/hostname; pwd -P; ls -d /gate/data /gate/usr/bin /gate/new/file; echo x > /gate/data/x; readlink /etc/resolv.conf; grep -c . /etc/resolv.conf'
    const inside = await contained({
      layer: prey => [
        link('etc/hosts', `${prey}/hosts`),
        link('etc/hostname', `../../../../../../../..${prey}/hostname`),
        // As in images whose /run has been emptied: systemd-resolved makes the file, where it runs.
        link('etc/resolv.conf', '../run/systemd/resolve/stub-resolv.conf'),
        link('gate', prey),
        link('work', `../../../..${prey}/sub`),
      ],
      config: { WorkingDir: '/work/deeper', Volumes: { '/gate/data': {} } },
      flags: ['--hostname', 'box', '-v', '/usr:/gate/usr:ro', '-v', '/etc/fstab:/gate/new/file'],
      script,
    })
    assert.match(
      inside,
      /^127.0.0.1\tlocalhost\nbox\n\/.*\/sub\/deeper\n\/gate\/data\n\/gate\/new\/file\n\/gate\/usr\/bin\n\.\.\/run\/systemd\/resolve\/stub-resolv.conf\n\d+$/,
    )
  })

  it('that go round in a circle are refused', async () => {
    const layer = () => [link('a', '/b'), link('b', 'a')]
    await refused(/links that \/a\/c leads through in the image go round in a circle/, {
      layer,
      flags: ['-v', '/usr:/a/c:ro'],
    })
    await refused(/\/b leads through too many symbolic links in the image/, {
      layer,
      config: { WorkingDir: '/b' },
    })
  })

  it('into /proc change nothing of the machine', async () => {
    const pattern = readFileSync('/proc/sys/kernel/core_pattern', 'utf8')
    await attacked({
      layer: () => [
        link('etc/hosts', '/proc/sys/kernel/core_pattern'),
        link('etc/hostname', '/proc/self/root/proc/1/root/etc/hostname'),
      ],
      script: 'echo evil > /proc/sys/kernel/core_pattern',
    })
    assert.equal(readFileSync('/proc/sys/kernel/core_pattern', 'utf8'), pattern)
  })
})

describe('an image’s own /dev and /proc', () => {
  it('with something else for /dev/null uncovers no file of the machine', async () => {
    const volumes = { Volumes: { '/dev': {} } }
    for (const cover of [
      { path: 'dev/null', type: 'Directory' },
      link('dev/null', '/proc/keys'),
      link('dev/null', '/nowhere'),
    ] satisfies TestEntry[]) {
      assert.equal(await contained({ layer: () => [cover], config: volumes, script: readMachine }), '')
    }
  })

  it('gives no way to change what covers them, which is the host’s /dev/null', async () => {
    const { mode, uid } = statSync('/dev/null')
    const script = '(chmod 0 /proc/keys; chown 1 /proc/keys; rm -f /proc/keys) 2>/dev/null; true'
    assert.equal(await contained({ layer: () => [], script: `${script}; ${readMachine}` }), '')
    const { mode: modeAfter, uid: uidAfter } = statSync('/dev/null')
    assert.deepEqual([modeAfter, uidAfter], [mode, uid])
  })

  it('cannot be a volume over /proc or a part of it', async () => {
    for (const place of ['/proc', '/proc/sys/kernel', '/proc/self']) {
      const config = { Volumes: { [place]: {} } }
      await refused(/cannot be mounted at \/proc.*: it is inside \/proc/, { layer: () => [], config })
    }
  })
})

describe('the files minictr itself reads in an image', () => {
  it('are never the host’s, and never one that does not end', async () => {
    const attacks: ((prey: string) => TestEntry)[] = [
      prey => link('etc/passwd', `${prey}/passwd`),
      prey => link('etc/passwd', `../../../../../../../..${prey}/passwd`),
      () => ({ path: 'etc/passwd', type: 'FIFO' }),
      () => ({ path: 'etc/passwd', type: 'CharacterDevice', device: [1, 5] }),
    ]
    for (const attack of attacks) {
      const config = { User: 'stranger' }
      await refused(/Unable to find user stranger/i, { layer: prey => [attack(prey)], config })
    }
  })
})

describe('an image that starts the runtime’s own program', () => {
  it('cannot write it', async () => {
    const digest = () => createHash('sha256').update(readFileSync(helperPath())).digest('hex')
    const before = digest()
    const image = await pushVariant(
      debian,
      registry.host,
      { Env: ['PATH=/usr/bin:/bin', 'LD_PRELOAD=/evil.so'] },
      {
        layer: archive(
          { path: 'script', content: '#!/proc/self/exe\n', mode: 0o755 },
          link('program', '/proc/self/exe'),
        ),
      },
    )
    for (const entrypoint of ['/script', '/program', '/proc/1/exe']) {
      const { status, stdout } = await debian.minictr(
        'run',
        '--rm',
        '--pull',
        'always',
        '--quiet',
        '--entrypoint',
        entrypoint,
        image,
      )
      assert.equal(stdout, '')
      assert.notEqual(status, 0)
    }
    // Held open while it runs and written when it has gone, as the attack of 2019 did.
    const program =
      'open(my $exe, "<", "/proc/1/exe") or die; for (1..3) { open(my $w, "+<", "/proc/self/fd/".fileno($exe)) and print $w "x"; open(my $a, ">", "/proc/1/exe") and print "opened" }'
    const flags = ['--init', '--cap-add', 'SYS_PTRACE']
    assert.equal(await debian.inside(`perl -e '${program}'`, ...flags), '')
    assert.equal(digest(), before)
  })
})
