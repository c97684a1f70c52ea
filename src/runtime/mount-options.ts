// Options as mount(8) spells them, sorted into what mount(2) wants: flags, propagation, and data for the file system.

const flagOptions: Record<string, { set?: string; clear?: string }> = {
  ro: { set: 'MS_RDONLY' },
  rw: { clear: 'MS_RDONLY' },
  nosuid: { set: 'MS_NOSUID' },
  suid: { clear: 'MS_NOSUID' },
  nodev: { set: 'MS_NODEV' },
  dev: { clear: 'MS_NODEV' },
  noexec: { set: 'MS_NOEXEC' },
  exec: { clear: 'MS_NOEXEC' },
  sync: { set: 'MS_SYNCHRONOUS' },
  async: { clear: 'MS_SYNCHRONOUS' },
  dirsync: { set: 'MS_DIRSYNC' },
  noatime: { set: 'MS_NOATIME' },
  atime: { clear: 'MS_NOATIME' },
  nodiratime: { set: 'MS_NODIRATIME' },
  diratime: { clear: 'MS_NODIRATIME' },
  relatime: { set: 'MS_RELATIME' },
  norelatime: { clear: 'MS_RELATIME' },
  strictatime: { set: 'MS_STRICTATIME' },
  nostrictatime: { clear: 'MS_STRICTATIME' },
  nosymfollow: { set: 'MS_NOSYMFOLLOW' },
  symfollow: { clear: 'MS_NOSYMFOLLOW' },
  defaults: {},
}

const propagationOptions: Record<string, string[]> = {
  private: ['MS_PRIVATE'],
  rprivate: ['MS_REC', 'MS_PRIVATE'],
  slave: ['MS_SLAVE'],
  rslave: ['MS_REC', 'MS_SLAVE'],
  shared: ['MS_SHARED'],
  rshared: ['MS_REC', 'MS_SHARED'],
  unbindable: ['MS_UNBINDABLE'],
  runbindable: ['MS_REC', 'MS_UNBINDABLE'],
}

const attributeOptions: Record<string, string> = {
  rro: 'MOUNT_ATTR_RDONLY',
  rnosuid: 'MOUNT_ATTR_NOSUID',
  rnodev: 'MOUNT_ATTR_NODEV',
  rnoexec: 'MOUNT_ATTR_NOEXEC',
}

export type ParsedOptions = {
  bind: boolean
  recursive: boolean
  /** MS_ names, without bind, rec and propagation. */
  flags: string[]
  /** MS_ names of one propagation change, or none. */
  propagation: string[]
  /** MOUNT_ATTR_ names that are to hold for all mounts below, too. */
  recursiveAttributes: string[]
  data: string
}

/** Sorts the options of an OCI mount (config.md, "mounts"; mount(8), "filesystem-independent mount options"). */
export function parseMountOptions(options: string[]): ParsedOptions {
  const flags = new Set<string>()
  const data: string[] = []
  const parsed: ParsedOptions = {
    bind: false,
    recursive: false,
    flags: [],
    propagation: [],
    recursiveAttributes: [],
    data: '',
  }
  for (const option of options) {
    const flag = flagOptions[option]
    if (option === 'bind' || option === 'rbind') {
      parsed.bind = true
      parsed.recursive ||= option === 'rbind'
    } else if (flag) {
      if (flag.set) flags.add(flag.set)
      if (flag.clear) flags.delete(flag.clear)
    } else if (propagationOptions[option]) parsed.propagation = propagationOptions[option]
    else if (attributeOptions[option]) parsed.recursiveAttributes.push(attributeOptions[option])
    else data.push(option)
  }
  parsed.flags = [...flags]
  parsed.data = data.join(',')
  return parsed
}
