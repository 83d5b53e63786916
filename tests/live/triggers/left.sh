#!/bin/sh
# left.sh KAWK ARGUMENTS…: runs it once for each way to end, and shows what bpftool finds of it then.

# ids KIND PID: what the process has descriptors of
ids() {
  sed -n "s/^$1_id:[[:space:]]*//p" "/proc/$2/fdinfo"/* 2>/dev/null | sort -u
}

count() {
  echo "$1" | wc -w
}

# known: how many of the ids bpftool shows
known() {
  known=0
  for id in $programs; do bpftool prog show id "$id" >/dev/null 2>&1 && known=$((known + 1)); done
  for id in $links; do bpftool link show id "$id" >/dev/null 2>&1 && known=$((known + 1)); done
  for id in $maps; do bpftool map show id "$id" >/dev/null 2>&1 && known=$((known + 1)); done
  bpftool perf show 2>/dev/null | grep -q "^pid $process " && known=$((known + 1))
  echo $known
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
  all=$(count "$programs $links $maps")
  [ "$(known)" -ge "$all" ] || echo "bpftool does not know all $all of them"
  kill -$how $process
  wait $process 2>/dev/null
  # The kernel frees some of it only after a while.
  tries=0
  while [ "$(known)" -gt 0 ] && [ $tries -lt 200 ]; do
    sleep 0.2
    tries=$((tries + 1))
  done
  echo "$how: $(count "$programs") programs, $(count "$links") links, $(count "$maps") maps; left: $(known)"
done
rm "$ready"
