#compdef migstream
# Completion of migstream's verbs, options, their values, and files, for zsh.
# Install it as /usr/share/zsh/vendor-completions/_migstream.
#
# The program itself says what there is: `migstream --list-options` prints
# "VERB|--OPTION|VALUE|CHOICES", a line for each.

_migstream() {
  local program=${words[1]} verb=${words[2]} option row
  local -a rows verbs names fields
  rows=("${(@f)$($program --list-options 2>/dev/null)}")
  verbs=(${(u)rows%%|*})
  (($#verbs)) || return 1

  if ((CURRENT == 2)); then
    compadd -- $verbs help --help --version
    return
  fi
  if [[ $verb == help ]]; then
    ((CURRENT == 3)) && compadd -- $verbs
    return
  fi
  if [[ $verb == model && CURRENT -eq 3 && $PREFIX != -* ]]; then
    compadd -- check show canonical lint describe
    return
  fi

  if [[ $PREFIX == --*=* ]]; then
    option=${PREFIX%%=*}
    compset -P '*='
  elif [[ ${words[CURRENT-1]} == -* ]]; then
    option=${words[CURRENT-1]}
  fi

  for row in $rows; do
    fields=("${(@s:|:)row}")
    [[ $fields[1] == $verb ]] || continue
    if [[ -n $option && $fields[2] == $option && -n $fields[3] &&
          ! ($fields[3] == \[* && $option == ${words[CURRENT-1]}) ]]; then
      case $fields[3] in
        FILE | OUT) _files ;;
        DIR) _files -/ ;;
        *) compadd -- ${=fields[4]} ;;
      esac
      return
    fi
    if [[ -n $fields[3] && $fields[3] != \[* && $fields[2] == --* ]]; then
      names+=("$fields[2]=")
    else
      names+=("$fields[2]")
    fi
  done

  if [[ $PREFIX == -* ]]; then
    compadd -S '' -- ${(M)names:#*=}
    compadd -- ${names:#*=} --help
    return
  fi
  _files
}

_migstream "$@"
