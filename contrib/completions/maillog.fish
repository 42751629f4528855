# Completion for fish: the program itself knows what may stand at the cursor (maillog generate fish).
function __maillog_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l out ($words[1] complete fish -- $words "$current" 2>/dev/null)
    if test $status -eq 1
        __fish_complete_path "$current"
    else
        printf '%s\n' $out
    end
end
complete -c maillog -f -a '(__maillog_complete)'
