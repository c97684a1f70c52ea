// Files in and out of containers, and what a container has changed: by Docker's rules, and inside the container whatever
// it does meanwhile.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { executable, minictr, type Running } from '../fixtures/command-line.ts'
import { idsIn, useDebian } from './debian.ts'

const debian = useDebian()

async function succeed(...args: string[]): Promise<string> {
  const { status, stdout, stderr } = await debian.minictr(...args)
  assert.deepEqual({ status, stderr }, { status: 0, stderr: '' }, args.join(' '))
  return stdout
}

async function fail(words: RegExp, ...args: string[]): Promise<void> {
  const { status, stderr } = await debian.minictr(...args)
  assert.equal(status, 1, stderr)
  assert.match(stderr, words)
}

async function startNamed(name: string, flags: string[], script: string): Promise<Running> {
  const running = debian.startKept(
    ['--name', name, ...flags],
    ['sh', '-c', `${script}\n echo ready; exec sleep 1000`],
  )
  while (!running.output().includes('ready')) {
    assert.equal(running.child.exitCode, null, 'it has ended')
    await sleep(10)
  }
  return running
}

async function remove(name: string, running?: Running): Promise<void> {
  await succeed('rm', '-f', name)
  await running?.outcome
}

const TREE = `mkdir -p /data/sub && echo one > /data/one && echo two > /data/sub/two && chmod 640 /data/one &&
  chown 33:44 /data/one && ln -s one /data/link && ln /data/one /data/hard && mkfifo /data/fifo &&
  ln -s /data /to-data && printf x > "/data/$(printf 'n\\303\\274\\n%0200d' 7)"`

for (const state of ['running', 'stopped'] as const) {
  describe(`a ${state} container`, () => {
    let running: Running | undefined
    const name = `copy-${state}`
    before(async () => {
      const volume = debian.directory()
      mkdirSync(join(volume, 'in'))
      writeFileSync(join(volume, 'in/file'), 'of the volume\n')
      const flags = ['--name', name, '-v', `${volume}:/vol`]
      if (state === 'running') running = await startNamed(name, flags.slice(2), TREE)
      else assert.equal((await debian.startKept(flags, ['sh', '-c', TREE]).outcome).status, 0)
    })
    after(() => remove(name, running))

    it('gives a file: into a directory, under a new name, over another', async () => {
      const here = debian.directory()
      await succeed('cp', `${name}:/data/one`, here)
      assert.equal(readFileSync(join(here, 'one'), 'utf8'), 'one\n')
      assert.equal(statSync(join(here, 'one')).mode & 0o7777, 0o640)
      assert.equal(statSync(join(here, 'one')).uid, process.getuid!())
      await succeed('cp', `${name}:data/sub/two`, join(here, 'new'))
      assert.equal(readFileSync(join(here, 'new'), 'utf8'), 'two\n')
      await succeed('cp', `${name}:/data/one`, join(here, 'new'))
      assert.equal(readFileSync(join(here, 'new'), 'utf8'), 'one\n')
      await succeed('cp', '-a', `${name}:/data/one`, join(here, 'owned'))
      assert.deepEqual([statSync(join(here, 'owned')).uid, statSync(join(here, 'owned')).gid], [33, 44])
    })

    it('gives a file through a link of this host', async () => {
      const directory = debian.directory()
      writeFileSync(join(directory, 'old'), 'old')
      symlinkSync('old', join(directory, 'link'))
      await succeed('cp', `${name}:/data/one`, join(directory, 'link'))
      assert.equal(readlinkSync(join(directory, 'link')), 'old')
      assert.equal(readFileSync(join(directory, 'old'), 'utf8'), 'one\n')
    })

    it('gives all it has, without the kernel’s answers', async () => {
      const all = join(debian.directory(), 'all')
      await succeed('cp', `${name}:/`, all)
      assert.equal(readFileSync(join(all, 'data/one'), 'utf8'), 'one\n')
      assert.deepEqual(readdirSync(join(all, 'proc')), [])
      assert.deepEqual(readdirSync(join(all, 'sys')), [])
    })

    it('gives a directory: with its name, as a new one, only its content', async () => {
      const here = debian.directory()
      await succeed('cp', `${name}:/data`, here)
      await succeed('cp', `${name}:/data`, join(here, 'new'))
      mkdirSync(join(here, 'into'))
      await succeed('cp', `${name}:/data/.`, join(here, 'into'))
      for (const place of ['data', 'new', 'into']) {
        const at = join(here, place)
        assert.equal(readFileSync(join(at, 'sub/two'), 'utf8'), 'two\n')
        assert.equal(readlinkSync(join(at, 'link')), 'one')
        assert.equal(statSync(join(at, 'hard')).ino, statSync(join(at, 'one')).ino)
        assert.ok(lstatSync(join(at, 'fifo')).isFIFO())
        assert.equal(readFileSync(join(at, `nü\n${'7'.padStart(200, '0')}`), 'utf8'), 'x')
      }
    })

    it('gives a link itself, or with -L what it leads to inside', async () => {
      const here = debian.directory()
      await succeed('cp', `${name}:/to-data`, here)
      assert.equal(readlinkSync(join(here, 'to-data')), '/data')
      await succeed('cp', '-L', `${name}:/to-data`, join(here, 'followed'))
      assert.ok(existsSync(join(here, 'followed/sub/two')))
      await succeed('cp', `${name}:/to-data/sub/two`, here)
      assert.equal(readFileSync(join(here, 'two'), 'utf8'), 'two\n')
    })

    it('gives what is on a volume', async () => {
      const here = debian.directory()
      await succeed('cp', `${name}:/vol/in`, here)
      assert.equal(readFileSync(join(here, 'in/file'), 'utf8'), 'of the volume\n')
    })

    it('says what is missing in Docker’s words', async () => {
      const here = debian.directory()
      await fail(
        new RegExp(`Could not find the file /nope in container ${name}`),
        'cp',
        `${name}:/nope`,
        here,
      )
      await fail(/not a directory/, 'cp', `${name}:/data/one/`, here)
      await fail(
        /invalid output path: directory ".*\/no" does not exist/,
        'cp',
        `${name}:/data/one`,
        join(here, 'no/x'),
      )
      await fail(/no such directory/, 'cp', `${name}:/data/one`, `${join(here, 'nope')}/`)
      writeFileSync(join(here, 'file'), '')
      await fail(/cannot copy directory/, 'cp', `${name}:/data`, join(here, 'file'))
      await fail(/lstat .*nope: no such file/, 'cp', join(here, 'nope'), `${name}:/`)
      await fail(
        new RegExp(`Could not find the file /no/x in container ${name}`),
        'cp',
        join(here, 'file'),
        `${name}:/no/x`,
      )
      await fail(/cannot copy directory/, 'cp', here, `${name}:/data/one`)
      await fail(/No such container: nobody/, 'cp', 'nobody:/x', here)
      await fail(/copying between containers is not supported/, 'cp', `${name}:/x`, `${name}:/y`)
      await fail(/must specify at least one container source/, 'cp', 'x', 'y')
    })

    it('takes files and directories, which belong to its root', async () => {
      const here = debian.directory()
      mkdirSync(join(here, 'site/css'), { recursive: true })
      writeFileSync(join(here, 'site/index'), 'index\n', { mode: 0o604 })
      writeFileSync(join(here, 'site/css/main'), 'main\n')
      chownSync(join(here, 'site/index'), 1234, 1235)
      await succeed('cp', join(here, 'site'), `${name}:/srv`)
      await succeed('cp', join(here, 'site'), `${name}:/srv/other`)
      await succeed('cp', `${join(here, 'site')}/.`, `${name}:/opt`)
      await succeed('cp', '-a', join(here, 'site/index'), `${name}:/srv/owned`)
      await succeed('cp', join(here, 'site/index'), `${name}:/to-data/taken`)
      const back = debian.directory()
      writeFileSync(join(back, 'sub'), 'a file')
      await succeed('cp', '-a', `${name}:/srv/.`, back)
      assert.equal(readFileSync(join(back, 'site/css/main'), 'utf8'), 'main\n')
      const { uid, gid, mode } = statSync(join(back, 'site/index'))
      assert.deepEqual([uid, gid, mode & 0o777], [0, 0, 0o604])
      assert.equal(readFileSync(join(back, 'other/index'), 'utf8'), 'index\n')
      assert.deepEqual([statSync(join(back, 'owned')).uid, statSync(join(back, 'owned')).gid], [1234, 1235])
      await succeed('cp', `${name}:/opt/css/main`, join(back, 'opt'))
      await succeed('cp', `${name}:/data/taken`, join(back, 'taken'))
      assert.equal(readFileSync(join(back, 'taken'), 'utf8'), 'index\n')
      mkdirSync(join(here, 'one'))
      await fail(/cannot overwrite non-directory ".*one"/, 'cp', join(here, 'one'), `${name}:/data`)
      await fail(/cannot overwrite directory ".*sub"/, 'cp', join(back, 'sub'), `${name}:/data`)
    })

    it('gives and takes archives', async () => {
      const { globals } = debian.store()
      const here = debian.directory()
      const archive = join(here, 'a.tar')
      const program = [executable, ...globals]
      const line = program.map(word => `'${word}'`).join(' ')
      execFileSync('sh', ['-c', `${line} cp ${name}:/data - > ${archive}`])
      const listed = execFileSync('tar', ['-tvf', archive, '--numeric-owner'], { encoding: 'utf8' })
      assert.match(listed, /-rw-r----- 33\/44 .* data\/hard\n/)
      assert.match(listed, /data\/one link to data\/hard/)
      execFileSync('sh', ['-c', `${line} cp - ${name}:/mnt < ${archive}`])
      const back = debian.directory()
      await succeed('cp', `${name}:/mnt/data/sub/two`, back)
      assert.equal(readFileSync(join(back, 'two'), 'utf8'), 'two\n')
      for (const compress of ['gzip', 'zstd']) {
        execFileSync('sh', [
          '-c',
          `tar -c -C ${back} --transform s/two/${compress}/ two | ${compress} | ${line} cp - ${name}:/media`,
        ])
        await succeed('cp', `${name}:/media/${compress}`, back)
        assert.equal(readFileSync(join(back, compress), 'utf8'), 'two\n')
      }
      const refused = await minictr([...globals, 'cp', '-', `${name}:/data/one`], {
        input: readFileSync(archive, 'latin1'),
      })
      assert.match(refused.stderr, /must be a directory/)
    })
  })
}

describe('a container that ends and is started all the time', () => {
  it('can be copied to and from at any moment', async () => {
    const { image } = debian.store()
    await succeed('run', '-d', '--quiet', '--name', 'restless', image, 'sleep', '1000')
    const here = join(debian.directory(), 'copied')
    let isOver = false
    const restarting = (async () => {
      while (!isOver) await succeed('restart', '-t', '0', 'restless')
    })()
    try {
      for (let round = 0; round < 15; round++) {
        writeFileSync(here, `${round}`)
        await succeed('cp', '--quiet', here, 'restless:/kept')
        await succeed('cp', '--quiet', 'restless:/kept', here)
        assert.equal(readFileSync(here, 'utf8'), `${round}`)
      }
    } finally {
      isOver = true
      await restarting
      await succeed('rm', '-f', 'restless')
    }
  })
})

describe('a container with mapped users', () => {
  it('has files of its own owners', async () => {
    const name = 'copy-mapped'
    const here = debian.directory()
    writeFileSync(join(here, 'file'), 'in\n')
    const running = await startNamed(name, ['--userns-remap', 'auto'], 'echo out > /out; chown 5:6 /out')
    await succeed('cp', join(here, 'file'), `${name}:/in`)
    await succeed('cp', '-a', `${name}:/out`, here)
    assert.deepEqual([statSync(join(here, 'out')).uid, statSync(join(here, 'out')).gid], [5, 6])
    await succeed('cp', '-a', `${name}:/in`, here)
    assert.equal(statSync(join(here, 'in')).uid, 0)
    process.kill(runningPid(), 'SIGKILL')
    await running.outcome
    await succeed('cp', join(here, 'file'), `${name}:/again`)
    await succeed('cp', '-a', `${name}:/again`, join(here, 'again'))
    assert.equal(statSync(join(here, 'again')).uid, 0)
    await remove(name)
  })
})

/** The only container's process. */
function runningPid(): number {
  const { runRoot } = debian.store()
  const [id] = idsIn(runRoot)
  return JSON.parse(readFileSync(join(runRoot, id!, 'state.json'), 'utf8')).pid
}

describe('a hostile container', () => {
  it('that swaps links while it is copied to and from gives and gets nothing of the host', async () => {
    const name = 'copy-hostile'
    const target = debian.directory()
    writeFileSync(join(target, 'secret'), 'of the host\n')
    const swap = `mkdir -p /a/real /a/x; echo inside > /a/real/secret; ln -s ${target} /a/link
      (while :; do mv -T /a/real /a/x/1; mv -T /a/link /a/real; mv -T /a/real /a/link; mv -T /a/x/1 /a/real; done) &`
    const running = await startNamed(name, [], swap)
    const here = debian.directory()
    writeFileSync(join(here, 'file'), 'mine\n')
    for (let round = 0; round < 15; round++) {
      const out = join(here, `out-${round}`)
      await debian.minictr('cp', `${name}:/a/real/secret`, out)
      if (existsSync(out)) assert.equal(readFileSync(out, 'utf8'), 'inside\n')
      await debian.minictr('cp', `${name}:/a`, `${out}-tree`)
      await debian.minictr('cp', join(here, 'file'), `${name}:/a/real/file`)
    }
    assert.ok(!existsSync(join(target, 'file')))
    await remove(name, running)
  })

  it('is not left by names and links of an archive', async () => {
    const { globals } = debian.store()
    const name = 'copy-archive'
    assert.equal((await debian.startKept(['--name', name], ['true']).outcome).status, 0)
    const outside = debian.directory()
    const here = debian.directory()
    symlinkSync(outside, join(here, 'link'))
    const first = execFileSync('tar', ['-c', '-C', here, 'link'])
    mkdirSync(join(here, 'second/link'), { recursive: true })
    writeFileSync(join(here, 'second/link/file'), 'x')
    const second = execFileSync('tar', ['-c', '-C', join(here, 'second'), 'link/file'])
    for (const archive of [first, second])
      await minictr([...globals, 'cp', '-', `${name}:/srv`], { input: archive as unknown as string })
    assert.ok(!existsSync(join(outside, 'file')))
    const climbing = execFileSync('tar', [
      '-c',
      '-P',
      '-C',
      join(here, 'second'),
      '--transform',
      's,link,../../../../escaped,',
      'link/file',
    ])
    const refused = await minictr([...globals, 'cp', '-', `${name}:/`], {
      input: climbing as unknown as string,
    })
    assert.equal(refused.status, 1)
    assert.match(refused.stderr, /leads out/)
    await remove(name)
  })
})

describe('diff', () => {
  it('tells what was added, changed and deleted, as Docker does', async () => {
    const name = 'diffed'
    const volume = debian.directory()
    const script = `echo x > /new; mkdir /dir; touch /dir/a; rm /etc/issue; echo y >> /etc/motd; chmod 700 /srv
      rm -r /etc/skel && mkdir /etc/skel && touch /etc/skel/.profile; rm -r /usr/share/base-files; touch /vol/x; chown 5 /etc/debian_version`
    const flags = ['--name', name, '-v', `${volume}:/vol`]
    assert.equal((await debian.startKept(flags, ['sh', '-c', script]).outcome).status, 0)
    const lines = (await succeed('diff', name)).split('\n').slice(0, -1)
    const paths = lines.map(line => line.slice(2))
    assert.deepEqual(paths, paths.toSorted())
    const expected = [
      'A /dir',
      'A /dir/a',
      'C /etc',
      'C /etc/debian_version',
      'D /etc/issue',
      'C /etc/motd',
      'C /etc/skel',
      'D /etc/skel/.bash_logout',
      'D /etc/skel/.bashrc',
      'C /etc/skel/.profile',
      'A /new',
      'C /srv',
      'C /usr',
      'C /usr/share',
      'D /usr/share/base-files',
      'A /vol',
    ]
    assert.deepEqual(lines, expected)
    await remove(name)
  })

  it('is empty where nothing was changed', async () => {
    assert.equal((await debian.startKept(['--name', 'same'], ['true']).outcome).status, 0)
    assert.equal(await succeed('diff', 'same'), '')
    await remove('same')
  })
})
