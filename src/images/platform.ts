// Platforms: which of an index's images runs here, or on what `--platform` names.

import { MinictrError } from '../system/error.ts'

/** Which machines a program is for (OCI image spec, image-index.md, "platform"). */
export type Platform = {
  os: string
  architecture: string
  variant?: string
  'os.version'?: string
  'os.features'?: string[]
}

const OPERATING_SYSTEMS =
  'aix android darwin dragonfly freebsd hurd illumos ios js linux nacl netbsd openbsd plan9 solaris windows zos'
const ARCHITECTURES =
  '386 amd64 amd64p32 arm armbe arm64 arm64be loong64 mips mips64 mips64le mips64p32 mips64p32le mipsle ppc ppc64 ' +
  'ppc64le riscv riscv64 s390 s390x sparc sparc64 wasm'

/** Node's names where they differ from those of images, which are Go's. */
const NODE_ARCHITECTURES: Partial<Record<string, string>> = { x64: 'amd64', ia32: '386', ppc64: 'ppc64le' }

/** The platform this machine runs. */
export function hostPlatform(): Platform {
  return normalize({ os: 'linux', architecture: NODE_ARCHITECTURES[process.arch] ?? process.arch })
}

/**
 * Parses what `--platform` takes: OS/ARCH[/VARIANT], or an OS or architecture alone, completed from this machine.
 * Throws MinictrError. Source: github.com/containerd/platforms, Parse.
 */
export function parsePlatform(text: string): Platform {
  const parts = text.split('/')
  if (parts.length > 3 || !parts.every(part => /^[A-Za-z0-9_.-]+$/.test(part))) throw unknown(text)
  const [first, second, variant] = parts as [string, string?, string?]
  if (second !== undefined) return normalize({ os: first, architecture: second, variant })
  const host = hostPlatform()
  const asSystem = normalize({ ...host, os: first })
  if (OPERATING_SYSTEMS.split(' ').includes(asSystem.os)) return asSystem
  const asArchitecture = normalize({ os: host.os, architecture: first })
  if (ARCHITECTURES.split(' ').includes(asArchitecture.architecture)) return asArchitecture
  throw unknown(text)
}

/** `linux/arm64`, `linux/arm/v7`. */
export function formatPlatform({ os, architecture, variant }: Platform): string {
  return [os, architecture, ...(variant ? [variant] : [])].join('/')
}

/**
 * The candidate that suits `wanted` best: the platform itself, else the nearest one its processors also run (arm/v7 runs
 * arm/v6, arm64 runs arm, amd64 runs 386), else one that names no platform. Among equals the first. Undefined if none
 * suits. Source: github.com/containerd/platforms, Only (Docker's rule).
 */
export function choosePlatform<T extends { platform?: Platform }>(
  candidates: T[],
  wanted: Platform,
): T | undefined {
  for (const acceptable of runnable(normalize(wanted))) {
    const found = candidates.find(({ platform }) => platform && equal(normalize(platform), acceptable))
    if (found) return found
  }
  return candidates.find(({ platform }) => platform === undefined)
}

/** Whether an image made for `platform` runs on `wanted`. */
export function suitsPlatform(platform: Platform, wanted: Platform): boolean {
  return choosePlatform([{ platform }], wanted) !== undefined
}

/** Platforms that processors of `platform` run, best first. */
function runnable(platform: Platform): Platform[] {
  const { architecture, variant = '' } = platform
  const other = (name: string, version?: string) =>
    normalize({ os: platform.os, architecture: name, variant: version })
  if (architecture === 'amd64') {
    const older = versionsBelow(Number(variant.slice(1)) || 1, 1).map(version =>
      other('amd64', `v${version}`),
    )
    return [platform, ...older, other('386')]
  }
  if (architecture === 'arm') {
    return [
      platform,
      ...versionsBelow(Number(variant.slice(1)) || 0, 5).map(version => other('arm', `v${version}`)),
    ]
  }
  if (architecture === 'arm64') {
    const older = olderArm64(variant || 'v8').map(version => other('arm64', version))
    return [platform, ...older, ...runnable(other('arm', 'v8'))]
  }
  return [platform]
}

/** Armv9.x includes what Armv8.(x+5) has. */
function olderArm64(variant: string): string[] {
  const [, major, minor = '0'] = /^v([89])(?:\.(\d))?$/.exec(variant) ?? []
  const name = (generation: string, step: number) =>
    step === 0 ? `v${generation}` : `v${generation}.${step}`
  if (major === '8') return versionsBelow(Number(minor), 0).map(step => name('8', step))
  if (major !== '9') return []
  const ninth = versionsBelow(Number(minor), 0).map(step => name('9', step))
  return [...ninth, ...versionsBelow(Number(minor) + 6, 0).map(step => name('8', step))]
}

/** Whole numbers below `version`, down to `lowest`. */
function versionsBelow(version: number, lowest: number): number[] {
  return Array.from({ length: Math.max(0, version - lowest) }, (_, index) => version - 1 - index)
}

/** One spelling for each platform: the commonest variant of an architecture is left out, except for arm. */
function normalize(platform: Platform): Platform {
  const os = platform.os.toLowerCase() === 'macos' ? 'darwin' : platform.os.toLowerCase()
  const { architecture, variant } = normalizeArchitecture(
    platform.architecture.toLowerCase(),
    (platform.variant ?? '').toLowerCase(),
  )
  return variant === '' ? { os, architecture } : { os, architecture, variant }
}

function normalizeArchitecture(
  architecture: string,
  variant: string,
): { architecture: string; variant: string } {
  switch (architecture) {
    case 'i386':
      return { architecture: '386', variant: '' }
    case 'amd64':
    case 'x86_64':
    case 'x86-64':
      return { architecture: 'amd64', variant: variant === 'v1' ? '' : variant }
    case 'arm64':
    case 'aarch64':
      return { architecture: 'arm64', variant: variant === 'v8' || variant === '8' ? '' : variant }
    case 'armhf':
      return { architecture: 'arm', variant: 'v7' }
    case 'armel':
      return { architecture: 'arm', variant: 'v6' }
    case 'arm':
      return { architecture, variant: variant === '' ? 'v7' : /^\d$/.test(variant) ? `v${variant}` : variant }
    default:
      return { architecture, variant }
  }
}

function equal(a: Platform, b: Platform): boolean {
  return formatPlatform(a) === formatPlatform(b)
}

function unknown(text: string): MinictrError {
  return new MinictrError(`--platform "${text}": not a platform`, {
    remedy: 'Write OS/ARCH[/VARIANT], as in linux/amd64, linux/arm64 or linux/arm/v7.',
  })
}
