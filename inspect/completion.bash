# Completion of migstream's verbs, options, their values, and files, for bash.
# Install it as /usr/share/bash-completion/completions/migstream, or source it.
#
# The program itself says what there is: `migstream --list-options` prints
# "VERB|--OPTION|VALUE|CHOICES", a line for each.

# Files, which bash may quote, and ends a folder's name with a slash. An option's
# "=" is not to be quoted.
_migstream_files() {
  compopt -o filenames 2>/dev/null || :
  mapfile -t COMPREPLY < <(compgen "$@")
}

_migstream() {
  local program=$1 verb=${COMP_WORDS[1]} current=${COMP_WORDS[COMP_CWORD]}
  local previous=${COMP_WORDS[COMP_CWORD-1]} table option=
  local row_verb row_option row_value row_choices names= prefix=
  COMPREPLY=()
  table=$("$program" --list-options 2>/dev/null) || return

  if ((COMP_CWORD == 1)); then
    mapfile -t COMPREPLY < <(compgen -W \
      "$(cut -d'|' -f1 <<<"$table" | uniq) help --help --version" -- "$current")
    return
  fi

  if [[ $verb == help ]]; then
    ((COMP_CWORD != 2)) || mapfile -t COMPREPLY < <(compgen -W \
      "$(cut -d'|' -f1 <<<"$table" | uniq)" -- "$current")
    return
  fi

  if ((COMP_CWORD == 2)) && [[ $verb == model && $current != -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W \
      'check show canonical lint describe' -- "$current")
    return
  fi

  if ((COMP_CWORD == 2)) && [[ $verb == schema && $current != -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W \
      "$("$program" schema 2>/dev/null | cut -d' ' -f1)" -- "$current")
    return
  fi

  # bash takes "--option=value" for three words, unless somebody has taken "="
  # out of COMP_WORDBREAKS.
  if [[ $current == --*=* ]]; then
    option=${current%%=*} prefix=$option= current=${current#*=}
  elif [[ $current == = ]]; then
    option=$previous current=
  elif [[ $previous == = ]]; then
    option=${COMP_WORDS[COMP_CWORD-2]}
  elif [[ $previous == -* ]]; then
    option=$previous
  fi

  while IFS='|' read -r row_verb row_option row_value row_choices; do
    [[ $row_verb == "$verb" ]] || continue
    if [[ -n $option && $row_option == "$option" && -n $row_value &&
          ! ($row_value == \[* && $option == "$previous") ]]; then
      case $row_value in
        FILE | OUT) _migstream_files -f -- "$current" ;;
        DIR) _migstream_files -d -- "$current" ;;
        *) mapfile -t COMPREPLY < <(compgen -W "$row_choices" -- "$current") ;;
      esac
      COMPREPLY=("${COMPREPLY[@]/#/$prefix}")
      return
    fi
    case $row_value in
      '' | \[*) names+=" $row_option" ;;
      *) [[ $row_option == --* ]] && names+=" $row_option=" ||
           names+=" $row_option" ;;
    esac
  done <<<"$table"

  if [[ $current == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$names --help" -- "$current")
    # The value follows at once.
    [[ ${COMPREPLY[0]-} == *= ]] && compopt -o nospace 2>/dev/null || :
    return 0
  fi
  _migstream_files -f -- "$current"
}

complete -F _migstream migstream
