# shellcheck shell=sh
# usage: watchdog FOLDER POSTGRES IDLE_SECONDS
# Runs the server in FOLDER/server until nobody has held FOLDER/in-use for IDLE_SECONDS (two
# seconds once FOLDER/stop-when-idle exists), then stops it and deletes its files while it holds
# that lock itself, so that whoever comes next starts a new one. RUN_AS is UID:GID for root.
folder=$1 postgres=$2 patience=$3
if [ -n "${RUN_AS:-}" ]; then
    set -- setpriv --reuid="${RUN_AS%:*}" --regid="${RUN_AS#*:}" --clear-groups "$postgres"
else
    set -- "$postgres"
fi
"$@" -D "$folder/server/data" &
server=$!
idle=0
exec 9>>"$folder/in-use"
while kill -0 "$server" 2>/dev/null; do
    sleep 1
    if flock --nonblock 9; then
        idle=$((idle + 1))
        limit=$patience
        [ -e "$folder/stop-when-idle" ] && limit=2
        if [ "$idle" -ge "$limit" ]; then
            kill -INT "$server"
            wait "$server"
            rm -rf "$folder/server" "$folder"/like_*.lock
            exit 0
        fi
        flock --unlock 9
    else
        idle=0
    fi
done
