# Boot: what runs in the job's container (or as a plain child process) and starts each stage's shell.
# Needs a POSIX shell only: busybox ash, dash, bash; any uid. Nothing here may print: output is the job's.
#
#   $BURST_CONTROL  folder with three FIFOs made by the agent; `cmd` appears last
#     cmd     in:  run NONCE FILE | check NONCE | cancel SECONDS | quit SECONDS     (EOF: the agent died)
#     out     out: stdout and stderr of the stage, then NUL burst-end NONCE NUL
#     hosts   lines for /etc/hosts, where the agent has any
#     events  out: up UID SHELL [unnamed] | exit NONCE STATUS | waits NONCE | lost NONCE      (EOF: we died)
#   $BURST_HOSTS    the file that names hosts, where it is not /etc/hosts
#   $BURST_COOKIE   set where processes of others are in sight: only those that carry it, or that are
#                   in our process group, are ours to signal. Unset in a container of our own.

control=$BURST_CONTROL
hosts=${BURST_HOSTS:-/etc/hosts}
cookie=${BURST_COOKIE:-}
unset BURST_CONTROL BURST_HOSTS

if sleep 0.01 2>/dev/null; then tick=0.1 ticks=10; else tick=1 ticks=1; fi
# No agent is up sooner than after the first.
pause=$tick
# A container ends with its task. A process of its own must not wait for ever for an agent that died.
tried=0
while [ ! -p "$control/cmd" ]; do
  tried=$((tried + 1))
  [ "$tried" -lt 300 ] || pause=1
  [ -z "$cookie" ] || { [ -d "$control" ] && [ "$tried" -lt 900 ]; } || exit 1
  sleep "$pause"
  [ "$pause" = 1 ] || pause=0.03
done

shell=
for candidate in /usr/local/bin/bash /usr/bin/bash /bin/bash /usr/local/bin/sh /usr/bin/sh /bin/sh /busybox/sh; do
  if [ -x "$candidate" ]; then shell=$candidate; break; fi
done

# In a container the kernel shall take the job before anything else. Our own process reads its own files.
[ -n "$cookie" ] || { echo 1000 >/proc/self/oom_score_adj; } 2>/dev/null
uid=
while read -r key value rest; do
  if [ "$key" = Uid: ]; then uid=$value; break; fi
done 2>/dev/null </proc/self/status
[ -n "$uid" ] || uid=$(id -u 2>/dev/null) || uid=unknown

# On Fargate each container has an /etc/hosts of its own: names that are not in ours yet are added.
add_hosts() {
  unnamed=
  [ -f "$control/hosts" ] || return 0
  while read -r line; do
    seen=
    while read -r known; do [ "$known" != "$line" ] || seen=1; done <"$hosts"
    [ -n "$seen" ] || echo "$line" >>"$hosts" || unnamed=' unnamed'
  done <"$control/hosts"
}
add_hosts 2>/dev/null

# Parent's and group's ids from a /proc/PID/stat line; the name in it may hold blanks and brackets.
parse_stat() {
  set -- ${1##*) }
  state=$1 parent=$2 group=$3
}

consider() { # PID: adds it to `found` if it lives and is not spared
  { read -r line <"/proc/$1/stat"; } 2>/dev/null || return 0
  parse_stat "$line"
  [ "$state" != Z ] || return 0
  [ "$2" = anywhere ] || [ "$group" = "$$" ] || return 0
  case " $keep $waiter $found " in *" $1 "*) return 0 ;; esac
  found="$found $1"
}

# Fills `found` with the job's processes. No subshell here: it would find itself.
find_ours() {
  found=
  if [ ! -r /proc/self/stat ]; then
    for pid in $(pgrep -g "$$"); do
      case " $keep $waiter " in *" $pid "*) ;; *) kill -0 "$pid" 2>/dev/null && found="$found $pid" ;; esac
    done
    return 0
  fi
  if [ -z "$cookie" ]; then
    for entry in /proc/[0-9]*; do consider "${entry#/proc/}" anywhere; done
    return 0
  fi
  # A machine has hundreds of processes, and shells read byte by byte: they read what grep picks. It picks
  # at least us; a grep that cannot do it picks nobody.
  picked=$(grep -lsz "^[0-9]* (.*) [A-Za-z] [0-9]* $$ " /proc/[0-9]*/stat 2>/dev/null)
  for entry in ${picked:-/proc/[0-9]*/stat}; do
    entry=${entry#/proc/}
    consider "${entry%/stat}" group
  done
  for entry in $(grep -lsz "^BURST_COOKIE=$cookie\$" /proc/[0-9]*/environ 2>/dev/null); do
    entry=${entry#/proc/}
    consider "${entry%/environ}" anywhere
  done
}

signal() {
  find_ours
  for pid in $found; do kill "-$1" "$pid" 2>/dev/null; done
}

# Hundredths of a second; empty where there is no such clock. No process is started for it.
read_clock() {
  now=
  { read -r now rest </proc/uptime; } 2>/dev/null || return 0
  now=${now%.*}${now#*.}
}

stop_all() { # SECONDS: TERM, that long, then KILL until nobody is left
  left=$(($1 * ticks))
  read_clock
  end=${now:+$((now + $1 * 100))}
  signal TERM
  while [ -n "$found" ] && [ "$left" -gt 0 ]; do
    sleep "$tick"
    # Looking takes its time too, on a busy machine much of it.
    left=$((left - 1))
    read_clock
    [ "${now:-0}" -lt "${end:-1}" ] || left=0
    find_ours
  done
  tries=20
  while [ -n "$found" ] && [ "$tries" -gt 0 ]; do
    signal KILL
    tries=$((tries - 1))
    [ -z "$found" ] || sleep "$tick"
  done
}

run_stage() { # NONCE FILE: the waiter survives a cancel, to tell how the stage ended
  (
    trap : TERM
    "$shell" "$2" </dev/null >&5 2>&1 4>&- 5>&-
    status=$?
    printf '\000burst-end %s\000' "$1" >&5
    # In a line of its own, whatever the job may have written there.
    printf '\nexit %s %s\n' "$1" "$status" >&4
  ) &
  waiter=$!
}

waiter_lives() { # A job may kill it, or stop it; then nobody else tells how the stage ended.
  kill -CONT "$waiter" 2>/dev/null || return 1
  { read -r line <"/proc/$waiter/stat"; } 2>/dev/null || return 0
  parse_stat "$line"
  [ "$state" != Z ]
}

dispatch() {
  trap : TERM
  read -r dispatcher rest </proc/self/stat 2>/dev/null || dispatcher=$(sh -c 'echo $PPID')
  keep="$$ $dispatcher" above=$$ waiter=
  while [ "$above" -gt 1 ] && { read -r line <"/proc/$above/stat"; } 2>/dev/null; do
    parse_stat "$line"
    above=$parent
    keep="$keep $above"
  done
  echo "up $uid $shell$unnamed" >&4
  seconds=2
  while read -r verb first second; do
    case $verb in
      run) run_stage "$first" "$second" ;;
      check) if waiter_lives; then printf '\nwaits %s\n' "$first"; else printf '\nlost %s\n' "$first"; fi >&4 ;;
      cancel) stop_all "$first" ;;
      quit) seconds=$first; break ;;
    esac
  done
  stop_all "$seconds"
}

# Shells report a killed child on stderr; nobody shall read that here.
exec 4>"$control/events" 5>"$control/out" 2>/dev/null
# Those that outlive a cancel: us, who started us, the dispatcher and the stage's waiter.
keep=$$ waiter=
dispatch <"$control/cmd" &
dispatcher=$!
# As PID 1 a shell ignores TERM unless it traps it, and sees the trap only while it waits.
trap 'keep="$$ $dispatcher"; [ -z "$cookie" ] || stop_all 2; kill -9 "$dispatcher" 2>/dev/null; exit 143' TERM
wait "$dispatcher"
