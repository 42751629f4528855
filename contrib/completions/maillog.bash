# Completion for bash: the program itself knows what may stand at the cursor (maillog generate bash).
_maillog() {
    local program=${1/#\~\//$HOME/} words status
    words=$("$program" complete bash -- "${COMP_LINE:0:COMP_POINT}" "$2" 2>/dev/null)
    status=$?
    COMPREPLY=()
    if [[ $status -eq 1 ]]; then
        compopt -o default
    elif [[ $status -eq 0 && -n $words ]]; then
        mapfile -t COMPREPLY <<<"$words"
        # A field wants its value.
        if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *: ]]; then compopt -o nospace; fi
    fi
}
complete -F _maillog maillog
