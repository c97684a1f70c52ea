// Who we are at which registry: Docker's own ~/.docker/config.json, and the credential helpers it names.

import { readFileSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { makeDirectories } from '../system/directory.ts'
import { MinictrError } from '../system/error.ts'
import { askHelper } from './credential-program.ts'

/** Under this key Docker keeps what belongs to docker.io, a name older than the registry's. */
const DOCKER_HUB_KEY = 'https://index.docker.io/v1/'
/** The user name under which a helper keeps an identity token instead of a password. */
const TOKEN_USER = '<token>'

export type Credentials =
  | { kind: 'password'; username: string; password: string }
  /** An OAuth2 refresh token the token server gave at login. */
  | { kind: 'identity-token'; token: string }
  /** A bearer token to be sent to the registry as it is. */
  | { kind: 'registry-token'; token: string }

type AuthEntry = {
  auth?: string
  username?: string
  password?: string
  identitytoken?: string
  registrytoken?: string
}
type DockerConfig = {
  auths?: Record<string, AuthEntry>
  credsStore?: string
  credHelpers?: Record<string, string>
  [other: string]: unknown
}

/** Where the file is: $DOCKER_CONFIG/config.json, else ~/.docker/config.json. */
export function credentialsFile(): string {
  return join(process.env.DOCKER_CONFIG || join(homedir(), '.docker'), 'config.json')
}

/** The key of a registry in `auths` and to helpers; `SERVER` of `login` may be a URL or, for Docker Hub, missing. */
export function credentialsKey(server: string): string {
  const host = server.replace(/^https?:\/\//, '').replace(/\/.*$/, '')
  return ['', 'docker.io', 'index.docker.io', 'registry-1.docker.io'].includes(host) ? DOCKER_HUB_KEY : host
}

/**
 * The credentials for a registry `host[:port]`, from the helper the file names for it, else from the file; undefined
 * where there are none. Throws MinictrError for a damaged file or a failing helper.
 * Source: docker login reference, "Credential stores" and "Credential helpers".
 */
export async function findCredentials(host: string): Promise<Credentials | undefined> {
  const file = credentialsFile()
  const config = readConfig(file)
  const key = credentialsKey(host)
  const helper = config.credHelpers?.[key] ?? config.credHelpers?.[host] ?? config.credsStore
  if (helper !== undefined) return readFromHelper(helper, key)
  const entry =
    config.auths?.[key] ??
    Object.entries(config.auths ?? {}).find(([name]) => credentialsKey(name) === key)?.[1]
  return entry && fromEntry(entry, `${file}: auths["${key}"]`)
}

/**
 * Keeps credentials for a registry, in its helper where one is configured, else in the file. Resolves with the helper's
 * name, or undefined where they now are in the file, unencrypted. Throws MinictrError.
 */
export async function saveCredentials(server: string, credentials: Credentials): Promise<string | undefined> {
  const file = credentialsFile()
  const config = readConfig(file)
  const key = credentialsKey(server)
  const helper = config.credHelpers?.[key] ?? config.credsStore
  if (helper !== undefined) {
    const [Username, Secret] =
      credentials.kind === 'password'
        ? [credentials.username, credentials.password]
        : [TOKEN_USER, credentials.token]
    await askHelper(helper, 'store', JSON.stringify({ ServerURL: key, Username, Secret }))
  }
  // With a helper, Docker notes by an empty entry that there is something for this registry.
  const entry = helper === undefined ? toEntry(credentials) : {}
  writeConfig(file, { ...config, auths: { ...config.auths, [key]: entry } })
  return helper
}

/** Forgets the credentials for a registry in helper and file; resolves with whether there were any in the file. */
export async function eraseCredentials(server: string): Promise<boolean> {
  const file = credentialsFile()
  const config = readConfig(file)
  const key = credentialsKey(server)
  const helper = config.credHelpers?.[key] ?? config.credsStore
  if (helper !== undefined) await askHelper(helper, 'erase', key)
  const auths = Object.entries(config.auths ?? {})
  const kept = auths.filter(([name]) => credentialsKey(name) !== key)
  if (kept.length < auths.length) writeConfig(file, { ...config, auths: Object.fromEntries(kept) })
  return kept.length < auths.length
}

function fromEntry(entry: AuthEntry, where: string): Credentials | undefined {
  if (entry.identitytoken) return { kind: 'identity-token', token: entry.identitytoken }
  if (entry.registrytoken) return { kind: 'registry-token', token: entry.registrytoken }
  if (entry.auth) {
    const text = Buffer.from(entry.auth, 'base64').toString('utf8')
    const colon = text.indexOf(':')
    if (colon < 1) throw new MinictrError(`${where}: "auth" is not the base64 form of USER:PASSWORD`)
    // Old versions of Docker padded passwords with NUL bytes.
    return {
      kind: 'password',
      username: text.slice(0, colon),
      password: text.slice(colon + 1).replaceAll('\0', ''),
    }
  }
  if (entry.username && entry.password) {
    return { kind: 'password', username: entry.username, password: entry.password }
  }
  return undefined
}

function toEntry(credentials: Credentials): AuthEntry {
  switch (credentials.kind) {
    case 'password':
      return { auth: Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64') }
    case 'identity-token':
      return { identitytoken: credentials.token }
    case 'registry-token':
      return { registrytoken: credentials.token }
  }
}

async function readFromHelper(helper: string, key: string): Promise<Credentials | undefined> {
  const answer = await askHelper(helper, 'get', key)
  if (answer === undefined) return undefined
  const { Username, Secret } = JSON.parse(answer) as { Username?: string; Secret?: string }
  if (!Username || !Secret) return undefined
  if (Username === TOKEN_USER) return { kind: 'identity-token', token: Secret }
  return { kind: 'password', username: Username, password: Secret }
}

function readConfig(file: string): DockerConfig {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {}
    throw new MinictrError(`Cannot read ${file}: ${(error as Error).message}`, { cause: error })
  }
  let value: unknown
  try {
    value = text.trim() === '' ? {} : JSON.parse(text)
  } catch (error) {
    throw new MinictrError(`${file} is not JSON: ${(error as Error).message}`, { cause: error })
  }
  checkConfig(file, value)
  return value
}

function checkConfig(file: string, value: unknown): asserts value is DockerConfig {
  const isObject = (each: unknown) => typeof each === 'object' && each !== null && !Array.isArray(each)
  const refuse = (key: string, kind: string) => new MinictrError(`${file}: ${key} is not ${kind}`)
  if (!isObject(value)) throw new MinictrError(`${file} does not hold a JSON object`)
  const { auths, credsStore, credHelpers } = value as Record<string, unknown>
  if (auths !== undefined && !isObject(auths)) throw refuse('auths', 'an object')
  for (const [key, entry] of Object.entries(auths ?? {})) {
    if (!isObject(entry)) throw refuse(`auths["${key}"]`, 'an object')
    for (const [field, text] of Object.entries(entry as object)) {
      if (typeof text !== 'string') throw refuse(`auths["${key}"].${field}`, 'a text')
    }
  }
  if (credsStore !== undefined && typeof credsStore !== 'string') throw refuse('credsStore', 'a text')
  if (credHelpers !== undefined && !isObject(credHelpers)) throw refuse('credHelpers', 'an object')
  for (const [key, helper] of Object.entries(credHelpers ?? {})) {
    if (typeof helper !== 'string') throw refuse(`credHelpers["${key}"]`, 'a text')
  }
}

/** Replaces the file as a whole, readable by its owner alone; a symbolic link (dotfiles) stays one. */
function writeConfig(file: string, config: DockerConfig): void {
  makeDirectories(dirname(file), 0o700)
  const target = statSync(file, { throwIfNoEntry: false }) ? realpathSync(file) : file
  const temporary = `${target}.${process.pid}`
  try {
    writeFileSync(temporary, JSON.stringify(config, null, '\t'), { mode: 0o600, flag: 'wx' })
    renameSync(temporary, target)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw new MinictrError(`Cannot write ${target}: ${(error as Error).message}`, { cause: error })
  }
}
