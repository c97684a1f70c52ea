// Benchmark: the peak memory of a pull, of a small image and of one of 2 GB, and that of a container's monitor.

import { execFileSync, spawn } from 'node:child_process'
import { createCipheriv } from 'node:crypto'
import { once } from 'node:events'
import { closeSync, mkdirSync, openSync, readFileSync, readlinkSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { debianImage, pushImage, writeLayout } from '../../test/fixtures/image.ts'
import { peakMemory, time, withDescendants } from './measure.ts'
import type { Workshop } from './workshop.ts'

const MiB = 1024 * 1024
const LAYERS = 4
const FILES = 4
const FILE_BYTES = 128 * MiB

export type MemoryResult = { name: string; bytes: number }

export async function benchmarkMemory(workshop: Workshop): Promise<MemoryResult[]> {
  const debian = `${workshop.registry}/debian:trixie`
  await pushImage(await debianImage(), workshop.registry, 'debian:trixie', { tag: 'trixie' })
  const large = `${workshop.registry}/large:latest`
  await pushImage(await largeImage(workshop), workshop.registry, 'large:latest')

  const pull = (image: string) =>
    peakMemory(workshop.minictr(workshop.freshDirectory('minictr'), 'pull', '--quiet', image))
  return [
    { name: 'pull of the Debian image (124 MB), peak', bytes: await pull(debian) },
    { name: 'pull of an image of 2 GB (4 layers), peak', bytes: await pull(large) },
    { name: 'monitor of a running container, PSS', bytes: await monitorMemory(workshop, debian) },
  ]
}

/** An OCI layout with layers of generated data that does not compress, 2 GiB in all. */
async function largeImage(workshop: Workshop): Promise<string> {
  const layout = workshop.freshDirectory('large')
  const layers = []
  for (let layer = 0; layer < LAYERS; layer++) {
    const directory = workshop.freshDirectory('files')
    mkdirSync(directory)
    for (let file = 0; file < FILES; file++) writeNoise(join(directory, `noise-${layer}-${file}`), FILE_BYTES)
    const tar = `${directory}.tar`
    execFileSync('tar', ['-cf', tar, '-C', directory, '.'])
    rmSync(directory, { recursive: true })
    layers.push({ tar })
  }
  await writeLayout(layout, { latest: [{ layers }] })
  for (const { tar } of layers) rmSync(tar)
  return layout
}

/** Bytes that no compressor shrinks, the same every time: a cipher's output over zeroes. */
function writeNoise(file: string, sizeBytes: number): void {
  const cipher = createCipheriv('aes-128-ctr', Buffer.from(file.slice(-16).padStart(16)), Buffer.alloc(16))
  const zeroes = Buffer.alloc(4 * MiB)
  const handle = openSync(file, 'w')
  for (let written = 0; written < sizeBytes; written += zeroes.length)
    writeSync(handle, cipher.update(zeroes))
  closeSync(handle)
}

/** The proportional share of memory (smaps_rollup) of the monitor, while its container sleeps. */
async function monitorMemory(workshop: Workshop, image: string): Promise<number> {
  const root = workshop.freshDirectory('minictr')
  await time(workshop.minictr(root, 'pull', '--quiet', image))
  const run = ['run', '--rm', '--name', 'bench', '--network', 'none', image, 'sleep', '1000']
  const { argv } = workshop.minictr(root, ...run)
  const minictr = spawn(argv[0]!, argv.slice(1), { stdio: 'ignore' })
  const ended = once(minictr, 'exit')
  try {
    for (let attempt = 0; attempt < 100; attempt++) {
      await sleep(50)
      const processes = withDescendants(minictr.pid!)
      if (processes.some(pid => commandOf(pid) === 'sleep')) {
        const monitor = processes.find(pid => executableOf(pid).includes('minictr'))
        if (monitor !== undefined) return proportionalBytes(monitor)
      }
    }
    throw new Error('no monitor was seen beside a running container')
  } finally {
    await time(workshop.minictr(root, 'rm', '-f', 'bench'))
    await ended
  }
}

const commandOf = (pid: number) => readFileSync(`/proc/${pid}/comm`, 'utf8').trim()
const executableOf = (pid: number) => readlinkSync(`/proc/${pid}/exe`)

function proportionalBytes(pid: number): number {
  const line = /^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))
  return Number(line![1]) * 1024
}
