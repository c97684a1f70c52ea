# Where Node 24 may be: sudo's PATH often has none, since nvm and its like put it in a user's home.
#
# Sourced by the launcher (dist/minictr) and by the scripts here; POSIX sh. `find_node` sets `node` to the first
# Node that is new enough, and `looked` to the places it tried.

node_floor=24

# node_is_new FILE: whether FILE is a Node of the floor's version or later.
node_is_new() {
  [ -x "$1" ] && [ ! -d "$1" ] || return 1
  version=$("$1" --version 2>/dev/null) || return 1
  version=${version#v}
  [ "${version%%.*}" -ge "$node_floor" ] 2>/dev/null
}

# try_node FILE: takes FILE if it is new enough; notes what was found there otherwise.
try_node() {
  version=
  if node_is_new "$1"; then
    node=$1
    return 0
  fi
  looked="$looked
  $1${version:+ (is version $version)}"
  return 1
}

# home_of USER: the home directory by the system's user database.
home_of() {
  getent passwd "$1" | cut -d: -f6
}

# try_versions DIR: the newest Node of a version manager's directory that holds one directory per version.
try_versions() {
  [ -d "$1" ] || return 1
  for candidate in $(ls "$1" | sort -rV); do
    try_node "$1/$candidate/bin/node" && return 0
  done
  return 1
}

# find_node PROJECT [DIR…]: PROJECT is the package's directory; each DIR one that `minictr` was called through.
find_node() {
  project_directory=$1
  shift
  node=
  looked=
  for directory in "$@"; do
    try_node "$directory/node" && return 0
  done
  # An npm prefix keeps packages in lib/node_modules and Node, where it brought one, in bin.
  case $project_directory in
    */lib/node_modules/*) try_node "${project_directory%/lib/node_modules/*}/bin/node" && return 0 ;;
  esac
  for candidate in "$project_directory"/.cache/node/node_modules/node-linux-*/bin/node; do
    [ -e "$candidate" ] && try_node "$candidate" && return 0
  done
  on_path=$(command -v node) && try_node "$on_path" && return 0
  for home in "${HOME:-}" "$([ -z "${SUDO_USER:-}" ] || home_of "$SUDO_USER")"; do
    [ -n "$home" ] && try_versions "$home/.nvm/versions/node" && return 0
  done
  return 1
}
