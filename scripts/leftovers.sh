# What of minictr's is on this machine: mounts, links, nft objects, cgroups, processes, files. Sourced; POSIX sh.
#
# Tests and the demo compare before and after. What was there before (a container of yours, say) is not held against them.

# machine_state: one line for each thing that carries minictr's name, or that of this run's TMPDIR. The checkout's own
# name may be minictr too: processes are told by the files they run, and files under the checkout do not count.
machine_state() {
  {
    awk '{ print $5 }' /proc/self/mountinfo | grep minictr | sed 's/^/mount: /'
    ip -o link 2>/dev/null | awk -F': ' '$2 ~ /minictr/ { print "link: " $2 }'
    ls /run/netns 2>/dev/null | grep minictr | sed 's/^/network namespace: /'
    nft list ruleset 2>/dev/null | awk '/^(table|[ \t]*(chain|set|map)) .*minictr/ { print "nft: " $1, $2, $3 }'
    find /sys/fs/cgroup -type d -path '*minictr*' 2>/dev/null | sed 's/^/cgroup: /'
    find /var /run -xdev \( -path "$project" -o -path "$TMPDIR" \) -prune -o -name '*minictr*' -print 2>/dev/null |
      sed 's/^/file: /'
    ls -A "$TMPDIR" | sed "s|^|file: $TMPDIR/|"
    minictr_processes
  } | sort -u
}

# minictr_processes: processes that run this checkout's minictr, and those that the tests started (they inherited
# TMPDIR), but for this shell's own descendants.
minictr_processes() {
  for process in /proc/[0-9]*; do
    pid=${process#/proc/}
    executable=$(readlink "$process/exe" 2>/dev/null) || continue
    command=$(tr '\0' ' ' <"$process/cmdline" 2>/dev/null)
    case "$executable $command" in
      *"$project/dist/minictr"* | *"$TMPDIR"*) ;;
      *) tr '\0' '\n' <"$process/environ" 2>/dev/null | grep -qx "TMPDIR=$TMPDIR" || continue ;;
    esac
    is_descendant "$pid" || echo "process: $pid $command"
  done
}

# is_descendant PID: whether the process is this shell or was started by it, however indirectly.
is_descendant() {
  ancestor=$1
  while [ "${ancestor:-0}" -gt 1 ]; do
    [ "$ancestor" = $$ ] && return 0
    ancestor=$(awk '/^PPid:/ { print $2 }' "/proc/$ancestor/status" 2>/dev/null)
  done
  return 1
}

# leftovers BEFORE AFTER: the lines of AFTER that are not in BEFORE.
leftovers() {
  printf '%s\n' "$2" | grep -vxF -e "$1" | grep .
}
