// Users and groups as an image knows them: `--user` and `--group-add` looked up in its /etc/passwd and /etc/group.

import { readFileSync } from 'node:fs'
import { MinictrError } from '../system/error.ts'
import type { LayerStack } from './layer-stack.ts'

/** Who a process is to be, as the kernel wants it: numbers. */
export type Identity = {
  uid: number
  gid: number
  /** Supplementary groups, the primary one first, none twice. */
  additionalGids: number[]
  /** The home directory that /etc/passwd names, else `/`. */
  home: string
}

type User = { name: string; uid: number; gid: number; home: string }
type Group = { name: string; gid: number; members: string[] }

/** Larger files are no user data base, and are not read into memory. */
const MAX_FILE_BYTES = 16 * 1024 * 1024
const MAX_ID = 2 ** 31 - 1

/**
 * Looks up `user[:group]` (names or numbers; '' means root) and the groups to add. A number need not exist in the image;
 * a name must. Throws MinictrError. Source: Docker's rules, github.com/moby/sys/user (GetExecUser, GetAdditionalGroups).
 */
export function resolveUser(stack: LayerStack, userSpec: string, groupAdd: readonly string[] = []): Identity {
  const files = { passwd: readText(stack, '/etc/passwd'), group: readText(stack, '/etc/group') }
  return identityIn(files, userSpec, groupAdd)
}

/** The same for the texts of a container's /etc/passwd and /etc/group. Throws MinictrError. */
export function identityIn(
  files: { passwd: string; group: string },
  userSpec: string,
  groupAdd: readonly string[] = [],
): Identity {
  const [userPart = '', groupPart = ''] = userSpec.split(/:(.*)/s)
  const users = parsePasswd(files.passwd)
  const groups = parseGroup(files.group)
  const user = findUser(users, userPart)
  const uid = user?.uid ?? toId(userPart, 'user', 'passwd')
  const gid = groupPart === '' ? (user?.gid ?? 0) : findGroup(groups, groupPart)
  // An explicit group replaces those the user is a member of.
  const memberOf = groupPart === '' && user ? groups.filter(({ members }) => members.includes(user.name)) : []
  const added = groupAdd.map(group => findGroup(groups, group))
  const additionalGids = [...new Set([gid, ...memberOf.map(group => group.gid), ...added])]
  return { uid, gid, additionalGids, home: user?.home || '/' }
}

function findUser(users: User[], text: string): User | undefined {
  const uid = text === '' ? 0 : asNumber(text)
  return users.find(user => (uid === undefined ? user.name === text : user.uid === uid))
}

function findGroup(groups: Group[], text: string): number {
  const gid = asNumber(text)
  const group = groups.find(each => (gid === undefined ? each.name === text : each.gid === gid))
  return group?.gid ?? toId(text, 'group', 'group')
}

/** What is all digits is a number, also where a user of that name exists. */
function asNumber(text: string): number | undefined {
  return /^[-+]?[0-9]+$/.test(text) ? Number(text) : undefined
}

function toId(text: string, kind: 'user' | 'group', file: string): number {
  if (text === '') return 0
  const id = asNumber(text)
  if (id === undefined) {
    throw new MinictrError(
      `Unable to find ${kind} ${text}: no matching entries in the image's /etc/${file}`,
      {
        remedy: `Give a ${kind} that the image has, or a number.`,
      },
    )
  }
  if (id < 0 || id > MAX_ID) throw new MinictrError(`The ${kind} id ${text} is not between 0 and ${MAX_ID}`)
  return id
}

function parsePasswd(text: string): User[] {
  return records(text).flatMap(([name = '', , uid, gid, , home = '']) => {
    const ids = { uid: asNumber(uid ?? ''), gid: asNumber(gid ?? '') }
    return ids.uid === undefined ? [] : [{ name, uid: ids.uid, gid: ids.gid ?? 0, home }]
  })
}

function parseGroup(text: string): Group[] {
  return records(text).flatMap(([name = '', , gid, members = '']) => {
    const number = asNumber(gid ?? '')
    return number === undefined ? [] : [{ name, gid: number, members: members.split(',') }]
  })
}

/** Source: passwd(5), group(5). */
function records(text: string): string[][] {
  const lines = text.split('\n').map(line => line.trim())
  return lines.filter(line => line !== '' && !line.startsWith('#')).map(line => line.split(':'))
}

function readText(stack: LayerStack, path: string): string {
  const found = stack.find(path)
  // An image may hold anything under this name; a device or a fifo must not be opened here.
  if (!found?.stats.isFile() || found.stats.size > MAX_FILE_BYTES) return ''
  return readFileSync(found.hostPath, 'utf8')
}
