#!/bin/sh
# minictr: finds Node 24 and starts the bundle with it. The build copies this file to dist/minictr.
#
# A shell script and not a Node one, because sudo's PATH may have no Node; it starts no process of its own on
# the usual way, since every command pays for it. The next four lines are filled in by the build.

built_in=
built_with=
run_flags=
roots=

# start NODE ARG...: what acts on containers gets its monitor before Node is started, since afterwards the fork alone takes
# milliseconds, and V8's flags where it is the Node they were tried with. Where the word is another one, the monitor ends unused.
# The two dashes: Node would take an --env-file behind the program's name for its own (`node program --env-file x`).
start() {
  node=$1
  shift
  role=
  case " $* " in
    *' explain '* | *' script '*) ;; # they start nothing, whatever it is that they are about
    *' exec '* | *' stop '*) role="kept $roots" ;; # what was planned wholly before is performed without Node
    *' run '* | *' create '* | *' start '* | *' restart '* | *' kill '* | *' rm '*) role=beside ;;
  esac
  if [ -n "$role" ] && [ -x "$dist/minictr-helper" ]; then
    [ "$node" = "$built_with" ] || run_flags=
    # Unquoted: one word per flag.
    exec "$dist/minictr-helper" $role "$node" $run_flags -- "$dist/minictr.cjs" "$@"
  fi
  exec "$node" -- "$dist/minictr.cjs" "$@"
}

# A link (/usr/local/bin/minictr, npm's bin) leads here: -ef sees that without starting readlink.
if [ "$0" -ef "$built_in/minictr" ]; then
  dist=$built_in
else
  case $0 in
    */*) link=$0 ;;
    *) link=./$0 ;;
  esac
  called_through=
  while [ -h "$link" ]; do
    called_through="$called_through ${link%/*}"
    target=$(readlink "$link")
    case $target in
      /*) link=$target ;;
      *) link=${link%/*}/$target ;;
    esac
  done
  dist=$(CDPATH= cd -P -- "${link%/*}" && pwd)
fi

if [ -x "$built_with" ] && [ "$dist" = "$built_in" ]; then
  start "$built_with" "$@"
fi

. "$dist/find-node.sh"
# Unquoted: one word per directory.
if find_node "${dist%/*}" ${called_through:-}; then
  start "$node" "$@"
fi
cat >&2 <<END
minictr: needs Node.js $node_floor or later, and found none. Looked at:${looked:-
  (no place had a Node at all)}
Install one (nvm, your distribution, or the project's scripts/install, which brings its own), or name it on the PATH:
  sudo env PATH="\$PATH" $0
END
exit 125
