#!/usr/bin/env bash
# Ranks, nodes and links that fail in the middle of halfspace train: the job must end by itself, and leave nothing.
#
#   tests/faults/test_watchdog.sh PROGRAM
#
# A process is stopped with SIGSTOP, which nothing in MPI notices. Nodes are network namespaces on this machine,
# joined by a bridge in a third one, and a link is cut by taking it down; that part needs root. The training has
# a fixed rho beyond all reason and would go on for ever. Takes about 80 s.
# shellcheck source-path=SCRIPTDIR source=../support/end.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/end.sh"
endless=(model.activation=gated solver.tolerance=1e-14 solver.rho=1e12 solver.anderson=0 solver.max_iterations=2000000000)
export OMPI_MCA_mpi_yield_when_idle=1
ulimit -c unlimited 2>/dev/null # no core file shall be left even where they are wanted
# What MPI leaves behind when its daemons are killed goes with the folder.
mkdir "$folder/t"
export TMPDIR=$folder/t OMPI_MCA_btl_vader_backing_directory=$folder/t OMPI_MCA_btl_sm_backing_directory=$folder/t

# All processes of a job: every one has a file of this folder among its arguments.
ours() { pgrep -f -- "$folder/"; }

cleanup() {
  local pids
  mapfile -t pids < <(ours)
  [ ${#pids[@]} = 0 ] || kill -KILL "${pids[@]}"
  [ ${#nodes[@]} = 0 ] || kill "${nodes[@]}"
  wait
  rm -rf "$folder"
} 2>/dev/null
nodes=()
trap cleanup EXIT
trap 'exit 1' INT TERM

# Start a training in the background and come back when it iterates. `seconds` is its limit, `before` the words
# in front of mpirun.
before=()
begin() { # MPIRUN-ARGUMENTS... -- SETTINGS...
  local mpirun=()
  while [ "$1" != -- ]; do mpirun+=("$1") && shift; done
  shift
  rm -f out log run.h5*
  timeout -k 5 60 "${before[@]}" mpirun "${mpirun[@]}" "$program" train "$folder/d.h5" "${endless[@]}" "$@" \
    watchdog_seconds="$seconds" output.run="$folder/run.h5" >out 2>log </dev/null &
  job=$!
  for _ in {1..150}; do
    grep -qE '^ +[0-9]+ +[0-9.]+e' log 2>/dev/null && break
    sleep 0.1
  done
  grep -qE '^ +[0-9]+ +[0-9.]+e' log || wrong "the training has not begun: $(tail -n 1 log)"
}

named() { # NAME...: of the processes of the job, those with such a name
  local pid
  for pid in $(ours); do
    case " $* " in *" $(cat "/proc/$pid/comm" 2>/dev/null) "*) echo "$pid" ;; esac
  done
}

rank_pid() { # RANK
  local pid
  for pid in $(named halfspace); do
    tr '\0' '\n' <"/proc/$pid/environ" | grep -qx "OMPI_COMM_WORLD_RANK=$1" && echo "$pid"
  done
}

# The exit code must be the one wanted ("signal": any that tells of a signal), and every process be gone soon.
ends_with() { # CODE
  local code
  { wait "$job"; } 2>/dev/null
  code=$?
  if [ "$1" = signal ]; then
    [ $code -gt 128 ] || wrong "exit code $code instead of 128 and more: $(grep -m 1 'halfspace: ' log)"
  else
    [ $code = "$1" ] || wrong "exit code $code instead of $1: $(grep -m 1 'halfspace: ' log)"
  fi
  nothing_left
}

nothing_left() {
  for _ in {1..150}; do
    [ -z "$(ours)" ] && return
    sleep 0.1
  done
  wrong "left behind: $(for pid in $(ours); do cat "/proc/$pid/comm"; done | tr '\n' ' ')"
}

messages() { grep -c 'halfspace: error' log; }

good 1 generate gaussian d.h5 n=20000
check "data"

# ---- one node

seconds=5
begin -n 3 --
kill -STOP "$(rank_pid 2)"
ends_with 8
expect "number of messages" "$(messages)" 1
# Which call it is depends on where the others are when the rank stops.
expect "message" "$(grep 'halfspace: error' log | sed 's/waited [5-9] s in MPI_[A-Z][a-z_]*:/waited 5 s in MPI_CALL:/')" \
  "halfspace: error: rank 0 on $(uname -n): waited 5 s in MPI_CALL: another rank or the network does not \
answer (watchdog_seconds = 5; a checkpoint, if there is one, is whole)"
check "a rank stops: code 8, one message, nothing left"

seconds=3
begin -n 3 --
kill -STOP "$(rank_pid 0)"
ends_with 8
expect "number of messages" "$(messages)" 1
grep -q "^halfspace: error: rank 1 on " log || wrong "not told by rank 1: $(grep 'halfspace: error' log)"
check "rank 0 stops: rank 1 ends the job"

begin -n 3 -- solver.max_seconds=9
mapfile -t ranks < <(named halfspace)
expect "number of ranks" "${#ranks[@]}" 3
kill -STOP "${ranks[@]}"
sleep 6
kill -CONT "${ranks[@]}"
ends_with 4
expect "number of messages" "$(messages)" 0
check "all ranks are stopped for longer than the limit: the job goes on afterwards"

begin -n 2 -- solver.max_seconds=2
kill -STOP "$(named mpirun)"
ends_with signal
check "mpirun stops before the end of the job: it is ended, nothing left"

# ---- several nodes

reason=
[ "$(id -u)" = 0 ] || reason="only root can make network namespaces"
for tool in ip unshare nsenter hostname; do have $tool || reason="$tool is not installed"; done
case $(mpirun --version 2>/dev/null) in *"(Open MPI) 4."*) ;; *) reason="written for the mpirun of Open MPI 4" ;; esac

in_node() { # NODE COMMAND...
  nsenter --net --uts --target "${nodes[$1]}" "${@:2}"
}

# Node 0 is the switch, with 10.77.0.100; node 1 and 2 have 10.77.0.1 and 10.77.0.2 at the ports p1 and p2 of it.
# Nothing of it is seen outside, and all is gone with the processes that hold the namespaces.
make_network() {
  local node
  for node in 0 1 2; do
    unshare --net --uts sleep 1000 &
    nodes+=($!)
  done
  sleep 0.5 # until they are there
  for node in 0 1 2; do
    in_node $node hostname "n$node" && in_node $node ip link set lo up || return 1
  done
  in_node 0 ip link add switch type bridge &&
    in_node 0 ip addr add 10.77.0.100/24 dev switch && in_node 0 ip link set switch up || return 1
  for node in 1 2; do
    in_node 0 ip link add p$node type veth peer name eth0 netns "${nodes[$node]}" &&
      in_node 0 ip link set p$node master switch up && in_node $node ip addr add 10.77.0.$node/24 dev eth0 &&
      in_node $node ip link set eth0 up || return 1
  done
}

cut_link() { in_node 0 ip link set p2 down; }

# Up again, and used: a node takes a while to see that another one is back. Nobody listens at port 1; who says so
# has been reached.
mend_link() {
  in_node 0 ip link set p2 up
  for _ in {1..100}; do
    in_node 2 bash -c 'echo >/dev/tcp/10.77.0.1/1' 2>&1 | grep -q refused && return
    sleep 0.1
  done
  return 1
}

# What mpirun starts its daemons with, in place of ssh.
make_agent() {
  cat >agent <<END
#!/bin/sh
case \$1 in *.1) node=${nodes[1]} ;; *.2) node=${nodes[2]} ;; esac
shift
exec nsenter --net --uts --target \$node sh -c "\$*"
END
  chmod +x agent
}

on_node() { # NODE: of process ids on standard input, those that run there
  local net pid
  net=$(readlink "/proc/${nodes[$1]}/ns/net")
  while read -r pid; do
    if [ "$(readlink "/proc/$pid/ns/net")" = "$net" ]; then echo "$pid"; fi
  done
}

if [ -z "$reason" ] && ! { make_network && mend_link; } 2>network.log; then
  reason="no network namespaces: $(head -n 1 network.log)"
fi
if [ -n "$reason" ]; then
  for name in "link cut" "link cut, mpirun elsewhere" "node frozen"; do skip "$name" "$reason"; done
  finish
  exit
fi
make_agent
cluster=(--mca plm rsh --mca plm_rsh_agent "$folder/agent" --host "10.77.0.1:2,10.77.0.2:2" -n 4)
in_node_1=(nsenter --net --uts --target "${nodes[1]}")

before=("${in_node_1[@]}")
begin "${cluster[@]}" --
cut_link
ends_with signal
expect "number of messages" "$(messages)" 1
grep -q "^halfspace: error: rank 0 on n1: waited [3-5] s in MPI_" log || wrong "message: $(grep 'halfspace: ' log)"
[ -z "$(compgen -G 'core*')" ] || wrong "a core file is left"
check "link cut: both sides and mpirun end by themselves"
mend_link || wrong "the link cannot be mended"

# mpirun is nobody's parent here; its own look at its connections must be quicker than the watchdog.
before=(nsenter --net --uts --target "${nodes[0]}")
seconds=30
begin "${cluster[@]}" --mca oob_tcp_keepalive_time 2 --mca oob_tcp_keepalive_intvl 1 \
  --mca oob_tcp_keepalive_probes 2 --
cut_link
ends_with signal
expect "number of messages" "$(messages)" 0
grep -q "lost communication with a remote daemon" log || wrong "mpirun has not noticed"
check "link cut, mpirun elsewhere: ended by the keepalive probes of Open MPI"
mend_link || wrong "the link cannot be mended"

before=("${in_node_1[@]}")
seconds=3
begin "${cluster[@]}" --
mapfile -t frozen < <(named halfspace orted | on_node 2)
expect "processes of node 2" "${#frozen[@]}" 3
kill -STOP "${frozen[@]}"
{ wait "$job"; } 2>/dev/null && wrong "the job ended with code 0"
for _ in {1..50}; do [ -z "$(ours | on_node 1)" ] && break || sleep 0.1; done
[ -z "$(ours | on_node 1)" ] || wrong "left behind on the other node"
kill -CONT "${frozen[@]}"
nothing_left
check "node frozen: the others end by themselves, it does when it wakes up"

finish
