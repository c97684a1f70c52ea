// What each shell needs to ask minictr for the words that may come next. The answer is cobra's, as of Docker's own CLI: a
// line a word, a tab and what it is behind it, and last a colon and a number, whose bits say what else holds.

/** Bits of the last line. Source: github.com/spf13/cobra, completions.go, ShellCompDirective. */
export const directive = { none: 0, noSpace: 2, noFiles: 4, onlyDirectories: 16 } as const

const bash = `# bash completion of minictr; source it, or put it into /usr/share/bash-completion/completions/minictr

_minictr() {
  local line=\${COMP_LINE:0:COMP_POINT} current found=() answer bits word
  local -a words
  # Not COMP_WORDS: bash cuts words at colons and equals signs, which images, ports and volumes have.
  read -ra words <<<"$line"
  case $line in *[[:space:]]) words+=('') ;; esac
  current=\${words[\${#words[@]} - 1]}
  COMPREPLY=()
  mapfile -t answer < <("\${words[0]}" __complete "\${words[@]:1}" 2>/dev/null)
  [ "\${#answer[@]}" -gt 0 ] || return 0
  bits=\${answer[\${#answer[@]} - 1]#:}
  unset "answer[\${#answer[@]} - 1]"
  for word in "\${answer[@]}"; do
    word=\${word%%$'\\t'*}
    [[ $word == "$current"* ]] && found+=("$word")
  done
  # Readline replaces what is behind the last colon or equals sign only.
  local kept=''
  case $COMP_WORDBREAKS in *:*) case $current in *:*) kept=\${current%"\${current##*:}"} ;; esac ;; esac
  case $COMP_WORDBREAKS in *=*) case \${current#"$kept"} in *=*) kept=\${current%"\${current##*=}"} ;; esac ;; esac
  for word in "\${found[@]}"; do COMPREPLY+=("\${word#"$kept"}"); done
  if ((bits & 2)); then compopt -o nospace; fi
  if ((bits & 4)); then return 0; fi
  local file part=\${current#"$kept"}
  local -a kind=(-f)
  if ((bits & 16)); then kind=(-d); fi
  while IFS= read -r file; do COMPREPLY+=("$file"); done < <(compgen "\${kind[@]}" -- "$part")
  if [ "\${#COMPREPLY[@]}" -gt "\${#found[@]}" ]; then compopt -o filenames; fi
}

complete -F _minictr minictr
`

const zsh = `#compdef minictr
# zsh completion of minictr; put it into a directory of $fpath as _minictr

_minictr() {
  local -a answer described unspaced
  local line word about bits
  answer=("\${(@f)$("\${words[1]}" __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  [[ \${answer[-1]} == :* ]] || return 1
  bits=\${answer[-1]#:}
  for line in "\${(@)answer[1,-2]}"; do
    [[ -n $line ]] || continue
    word=\${line%%$'\\t'*}
    about=\${line#"$word"}
    described+=("\${word//:/\\\\:}\${about:+:\${about#$'\\t'}}")
  done
  (( bits & 2 )) && unspaced=(-S '')
  local found=1
  if (( \${#described} )); then _describe -t words word described "\${unspaced[@]}" && found=0; fi
  if ! (( bits & 4 )); then
    if (( bits & 16 )); then _path_files -/ && found=0; else _files && found=0; fi
  fi
  return $found
}

if [ "$funcstack[1]" = _minictr ]; then _minictr "$@"; else compdef _minictr minictr; fi
`

const fish = `# fish completion of minictr; put it into ~/.config/fish/completions/minictr.fish

function __minictr_complete
  set -l words (commandline -opc)
  set -l current (commandline -ct)
  set -l answer ($words[1] __complete $words[2..-1] "$current" 2>/dev/null)
  test (count $answer) -gt 0; or return 1
  set -l bits (string replace ':' '' -- $answer[-1])
  if test (count $answer) -gt 1
    printf '%s\\n' $answer[1..-2]
  end
  if test (math "floor($bits / 4) % 2") -eq 0
    if test (math "floor($bits / 16) % 2") -eq 1
      __fish_complete_directories "$current"
    else
      __fish_complete_path "$current"
    end
  end
end

complete -c minictr -f -a '(__minictr_complete)'
`

/** The script of each shell. */
export const completionScripts: Record<string, string> = { bash, zsh, fish }
