#!/bin/sh
# A Docker engine of one's own, beside whatever else runs on this machine: own socket, data, network and cgroup.
# Needs root, no systemd. Says DOCKER_HOST=… when it answers; at the end of its input, or when it is told to
# stop, all of it goes away again: containers, processes, mounts, bridges, cgroups and the folder.
#
#   sh test/harness/engine.sh [FOLDER]        Ctrl-D or Ctrl-C ends it
set -u

fail() {
  echo "engine: $*" >&2
  exit 1
}

missing=
for need in dockerd:docker.io containerd:containerd runc:runc ip:iproute2; do
  command -v "${need%:*}" >/dev/null 2>&1 || missing="$missing, ${need%:*} (apt-get install ${need#*:})"
done
[ -z "$missing" ] || fail "cannot start a container engine: missing ${missing#, }"
[ "$(id -u)" = 0 ] || fail "cannot start a container engine: needs root, and this is uid $(id -u)"

if [ $# -gt 0 ]; then
  folder=$1
  mkdir -p "$folder" || exit 1
else
  folder=$(mktemp -d /tmp/burst-engine-XXXXXX) || exit 1
fi
folder=$(cd "$folder" && pwd -P)
[ "${#folder}" -le 60 ] || fail "too long for the path of a socket, take a shorter folder: $folder"
dockerd= bridge= cgroup=
# What a shell starts in the background gets no input but this.
exec 3<&0

# A bridge of its own in a network that nobody here has a route to. Making it is the lock against another engine.
take_network() {
  for number in $(seq 200 250); do
    network=10.$number
    [ -z "$(ip -4 route show root "$network.0.0/16")" ] || continue
    [ -z "$(ip -4 route show match "$network.0.1" | grep -v '^default')" ] || continue
    ip link add "burst-br$number" type bridge 2>/dev/null || continue
    bridge=burst-br$number cgroup=burst-engine-$number
    ip addr add "$network.0.1/24" dev "$bridge" && ip link set "$bridge" up || return 1
    return 0
  done
  return 1
}

kill_containers() {
  [ -n "$cgroup" ] || return 0
  find /sys/fs/cgroup -path "*/$cgroup/*" -name cgroup.procs -exec cat {} + 2>/dev/null | sort -un |
    while read -r pid; do kill -9 "$pid" 2>/dev/null; done
}

# An engine that shuts down waits for its containers, and may just have started one again.
stop_dockerd() {
  kill "$dockerd" 2>/dev/null
  tries=75
  while kill -0 "$dockerd" 2>/dev/null; do
    kill_containers
    [ "$tries" -gt 0 ] || break
    tries=$((tries - 1))
    sleep 0.2
  done
  [ "$tries" -gt 0 ] || {
    kill -9 "$dockerd" 2>/dev/null
    read -r containerd 2>/dev/null <"$folder/exec/containerd/containerd.pid" && kill -9 "$containerd" 2>/dev/null
  }
  wait "$dockerd" 2>/dev/null
}

stop() {
  trap '' EXIT INT TERM HUP
  [ -z "$dockerd" ] || stop_dockerd
  # What outlived it: shims, containers, mounts, networks.
  for entry in /proc/[0-9]*; do
    tr '\0' ' ' 2>/dev/null <"$entry/cmdline" | grep -q -- "-address $folder/" && kill -9 "${entry#/proc/}" 2>/dev/null
  done
  kill_containers
  cut -d' ' -f5 /proc/self/mountinfo | grep "^$folder/" | sort -r | while read -r mount; do umount -l "$mount"; done
  if [ -n "$bridge" ]; then
    for name in $(ip -o -4 addr show | awk -v "net=$network." 'index($4, net) == 1 { print $2 }'); do
      ip link del "$name"
    done
    find /sys/fs/cgroup -depth -type d \( -name "$cgroup" -o -path "*/$cgroup/*" \) -exec rmdir {} + 2>/dev/null
  fi
  rm -rf "$folder"
}
trap 'stop; exit 0' EXIT
trap 'stop; exit 143' INT TERM HUP

take_network || fail "no private network between 10.200.0.0/16 and 10.250.0.0/16 is free, or bridges cannot be made here"
mkdir -p "$folder/data" "$folder/exec"
echo '{}' >"$folder/daemon.json"
setsid dockerd --config-file "$folder/daemon.json" \
  --host "unix://$folder/docker.sock" --data-root "$folder/data" --exec-root "$folder/exec" --pidfile "$folder/pid" \
  --bridge "$bridge" --default-address-pool "base=$network.0.0/16,size=24" \
  --iptables=false --ip-masq=false --ip-forward=false \
  --exec-opt native.cgroupdriver=cgroupfs --cgroup-parent "/$cgroup" --shutdown-timeout 5 \
  >"$folder/log" 2>&1 </dev/null 3<&- &
dockerd=$!

tries=600
until grep -q 'API listen on' "$folder/log" 2>/dev/null; do
  tries=$((tries - 1))
  if [ "$tries" = 0 ] || ! kill -0 "$dockerd" 2>/dev/null; then
    fail "dockerd does not start: $(grep -v 'level=\(info\|debug\)' "$folder/log" | tail -n 5)"
  fi
  sleep 0.05
done
echo "DOCKER_HOST=unix://$folder/docker.sock"

# `wait` is interrupted by a signal, reading is not.
cat <&3 >/dev/null &
wait $!
