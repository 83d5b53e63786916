#!/bin/sh
# left.sh KAWK ARGUMENTS…: runs it once for each way to end, and shows what bpftool finds of it then.

# ids KIND PID: what the process has descriptors of, as bpftool begins a line with it
ids() {
  sed -n "s/^$1_id:[[:space:]]*\(.*\)/^\1: /p" "/proc/$2/fdinfo"/* 2>/dev/null | sort -u
}

# known: how many of them bpftool shows
known() {
  {
    bpftool prog show | grep -c "$programs"
    bpftool link show | grep -c "$links"
    bpftool map show | grep -c "$maps"
    bpftool perf show | grep -c "^pid $process "
  } 2>/dev/null | awk '{ sum += $1 } END { print sum }'
}

count() {
  echo "$1" | grep -c '[0-9]:'
}

ready=$(mktemp)
for how in INT TERM KILL; do
  : >"$ready"
  "$@" >"$ready" 2>&1 &
  process=$!
  until grep -qs ATTACHED "$ready" || ! kill -0 $process; do sleep 0.1; done
  programs=$(ids prog $process)
  links=$(ids link $process)
  maps=$(ids map $process)
  # An empty pattern would find every line.
  programs=${programs:-none} links=${links:-none} maps=${maps:-none}
  all=$(($(count "$programs") + $(count "$links") + $(count "$maps")))
  [ "$(known)" -ge $all ] || echo "bpftool does not know all $all of them"
  kill -$how $process
  wait $process 2>/dev/null
  # The kernel frees some of it only after a while.
  tries=0
  while [ "$(known)" -gt 0 ] && [ $tries -lt 100 ]; do
    sleep 0.2
    tries=$((tries + 1))
  done
  echo "$how: $(count "$programs") programs, $(count "$links") links, $(count "$maps") maps; left: $(known)"
done
rm "$ready"
