// What a container looks like from inside, as text that is the same for two containers that are alike.

import { readdirSync, readlinkSync } from 'node:fs'

/** A shell script that tells all about the container it runs in, in sections headed `== name`. */
export const probe = `
section() { printf '== %s\\n' "$1"; }
section mounts; cat /proc/self/mountinfo
section namespaces; for name in /proc/self/ns/*; do printf '%s %s\\n' "\${name##*/}" "$(readlink "$name")"; done
section hostname; cat /proc/sys/kernel/hostname /proc/sys/kernel/domainname
section devices; ls -lAn --time-style=+ /dev | sed 1d
section status; grep -E '^(Uid|Gid|Groups|NSpid|NoNewPrivs|Cap[A-Z][a-z]+):' /proc/$$/status
section seccomp; grep -E '^Seccomp:' /proc/$$/status
section limits; cat /proc/$$/limits
section oom; cat /proc/$$/oom_score_adj
section cgroup; cat /proc/$$/cgroup
for file in memory/memory.limit_in_bytes memory/memory.memsw.limit_in_bytes cpu/cpu.cfs_quota_us cpu/cpu.cfs_period_us \\
  cpu/cpu.shares cpuset/cpuset.cpus pids/pids.max devices/devices.list memory.max cpu.max pids.max; do
  [ ! -e "/sys/fs/cgroup/$file" ] || sed "s|^|$file |" "/sys/fs/cgroup/$file"
done
section environment; tr '\\0' '\\n' < /proc/$$/environ
section directory; readlink /proc/$$/cwd; ls -ldn --time-style=+ .
section umask; umask
section descriptors; ls /proc/$$/fd
section program; tr '\\0' ' ' < /proc/$$/cmdline | cut -c 1-6; readlink /proc/$$/exe
section files; for file in hosts hostname resolv.conf; do ls -lnd --time-style=+ /etc/$file; cat /etc/$file; done
section covered; for path in /proc/keys /proc/acpi /proc/timer_list /sys/firmware; do
  if [ -d $path ]; then ls -A $path | wc -l; else head -c 1 $path 2>&1 | wc -c; fi
done
section network; ls /sys/class/net; cat /proc/sys/net/ipv4/ip_unprivileged_port_start /proc/sys/net/ipv4/ping_group_range
cat /sys/class/net/lo/flags
for link in eth0 eth1; do [ ! -e /sys/class/net/$link ] || cat /sys/class/net/$link/address /sys/class/net/$link/mtu; done
cat /proc/net/route; sed 's/ [0-9a-f]* \\([0-9a-f]* [0-9a-f]* [0-9a-f]*  *eth\\)/ INDEX \\1/' /proc/net/if_inet6 | grep -v '^fe80' | sort
section written; if (: > /written) 2>/dev/null; then echo the root is writable; fi
`

/**
 * For `bash -c`, before the words of a command. A POSIX shell can close descriptors of one digit only; a script is not to
 * be blamed for those of a test.
 */
export const withoutInherited =
  'for fd in $(ls /proc/$$/fd); do [ "$fd" -le 2 ] || eval "exec $fd<&-"; done; exec "$@"'

/** The sections of what the probe printed, by name, with all that differs between two runs of one plan taken out. */
export function sectionsOf(output: string): Record<string, string> {
  const sections: Record<string, string> = {}
  for (const text of normalised(output).split(/^== /m).slice(1)) {
    const end = text.indexOf('\n')
    sections[text.slice(0, end)] = text.slice(end + 1)
  }
  if (sections.mounts !== undefined) sections.mounts = mounts(sections.mounts)
  return sections
}

function normalised(output: string): string {
  const own = new Map(readdirSync('/proc/self/ns').map(name => [readlinkSync(`/proc/self/ns/${name}`), name]))
  return output
    .replaceAll(/[0-9a-f]{64}(?=\/(upper|work|hosts|hostname|resolv\.conf)|$| )/gm, 'ID')
    .replaceAll(/\b[0-9a-f]{12}\b/g, 'HOSTNAME')
    .replaceAll(/^NSpid:\t(?!1\n).*$/gm, 'NSpid:\tanother')
    .replaceAll(/\w+:\[\d+\]/g, link => (own.has(link) ? 'the host’s' : 'its own'))
}

/** Mounts without the numbers of mounts and of devices, each named by the place it is mounted on. */
function mounts(text: string): string {
  const lines = text
    .trim()
    .split('\n')
    .map(line => line.split(' '))
  const placeOf = new Map(lines.map(([id, , , , place]) => [id, place]))
  return lines
    .map(([, parent, , root, place, options, ...rest]) => {
      const tags = rest.slice(0, rest.indexOf('-')).map(tag => tag.replace(/\d+/, 'N'))
      const above = placeOf.get(parent) ?? 'nothing'
      return [place, 'on', above, 'shows', root, options, ...tags, ...rest.slice(rest.indexOf('-'))].join(' ')
    })
    .join('\n')
}
