// How a script changes its root and still has tools: copied with their libraries, they run from a directory it stands in.

/** Commands that the shell performs by itself. */
const builtins = new Set(['[', 'cd', 'exec', 'printf', 'umask', 'for', 'while', 'case', ':'])

/** The tools that command lines begin with, each once, without those that a shell has built in. */
export function toolsOf(commands: string[]): string[] {
  const names = commands.flatMap(command => {
    const parts = command.replaceAll(/'[^']*'/g, '').split(/ \|\| | && |[;|\n]/)
    return parts.map(part => part.trim().split(' ')[0]!)
  })
  return [...new Set(names.filter(name => /^[a-z][a-z0-9_]*$/.test(name) && !builtins.has(name)))].sort()
}

/**
 * Lines that copy the tools, and the libraries and the loader they need, into a small file system in memory; `mode` is
 * that of its directory.
 */
export function fillToolbox(tools: string[], mode = '755'): string[] {
  return [
    '#   Once the root is another one, the tools of this machine can no longer be found. Those still',
    '#   needed are copied, with the libraries they load, into a file system in memory, which the shell',
    '#   keeps open over the change and then stands in.',
    `mount -t tmpfs -o mode=${mode} toolbox "$TOOLBOX"`,
    `for tool in ${tools.join(' ')}; do`,
    '  path=$(command -v "$tool")',
    `  cp -L "$path" $(ldd "$path" | sed -n 's/^[^/]*\\(\\/[^ ]*\\) (.*/\\1/p') "$TOOLBOX"`,
    '  LOADER=$(ldd "$path" | sed -n \'s/^[[:space:]]*\\/[^ ]*\\/\\([^ ]*\\) (.*/\\1/p\')',
    'done',
  ]
}

/** Lines around pivot_root: the shell holds the toolbox by a descriptor, and stands in it afterwards. */
export function enterToolbox(pivot: string, tools: string[]): string[] {
  return ['exec 3<"$TOOLBOX"', pivot, 'cd /proc/self/fd/3', 'exec 3<&-', ...toolFunctions(tools)]
}

/** Functions by which the shell, standing in the toolbox, calls its tools by their names. */
export function toolFunctions(tools: string[]): string[] {
  return [
    'run() { tool=$1; shift; "./$LOADER" --library-path . "./$tool" "$@"; }',
    ...tools.map(tool => `${tool}() { run ${tool} "$@"; }`),
  ]
}

/** Lines that leave the toolbox to nobody but the shell, which stands in it; where that is, has no name any more. */
export const takeToolbox = [
  'cd "$TOOLBOX"',
  'umount -l "$TOOLBOX"',
  'PWD=/proc/self/cwd',
  'export LOADER PWD',
]

/** A command line that replaces the shell by one of the toolbox's tools. */
export function replaceBy(tool: string): string {
  return `"./$LOADER" --library-path . ./${tool}`
}
