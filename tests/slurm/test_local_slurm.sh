#!/usr/bin/env bash
# jobs/local-slurm: the cluster itself.
#
#   tests/slurm/test_local_slurm.sh PROGRAM
#
# Truth: what SLURM, ps and the file system say.
# shellcheck source-path=SCRIPTDIR source=../support/end.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/end.sh"
# shellcheck source-path=SCRIPTDIR source=cluster.sh
. "$support/../slurm/cluster.sh"

# Processes that know the folder by their command line, environment, working folder or open files.
processes_of() { # FOLDER
  local process
  for process in /proc/[0-9]*; do
    [ "$process" != "/proc/$$" ] || continue
    { tr '\0' '\n' <"$process/cmdline" && readlink "$process/cwd" && ls -l "$process/fd"; } 2>/dev/null |
      grep -qF "$1" && echo "${process#/proc/}"
  done
}

cluster_up "local cluster" 2
expect "nodes" "$(sinfo -h -N -o '%N %t' | paste -sd,)" "n1 idle,n2 idle"
expect "hosts and temporary folders" "$(timeout 30 srun --nodes=2 sh -c 'echo "$(hostname) $TMPDIR"' | sort | paste -sd,)" \
  "n1 $HS_SLURM_DIR/n1/tmp,n2 $HS_SLURM_DIR/n2/tmp"
"$local_slurm" status >status.out 2>&1
grep -q '^n2 .* idle' status.out || wrong "status says: $(cat status.out)"
"$local_slurm" up 2>again.err && wrong "a second one in the same folder"
check "up, status, a command on two nodes"

# ---- two at once; separate networks

second() { HS_SLURM_DIR=$folder/other HS_SLURM_NET=$net "$local_slurm" "$@"; }
net=separate
second up 2 >/dev/null || wrong "the second cluster does not start"
expect "addresses" "$(second run timeout 30 srun --nodes=2 sh -c 'ip -4 -o addr show eth0 | sed "s/.* inet \([0-9.]*\).*/\1/"' |
  sed 's/10\.177\.[0-9]*\././' | sort | paste -sd,)" ".1,.2"
expect "hosts of the first one" "$(timeout 30 srun --nodes=2 hostname | sort | paste -sd,)" "n1,n2"
bridge=hsbr$(cat "$folder/other/subnet")
ping_node() { second run timeout 30 srun --nodelist=n1 ping -c 1 -W 1 "10.177.$(cat "$folder/other/subnet").2" >/dev/null 2>&1; }
if have ping; then
  ping_node || wrong "n1 does not reach n2"
  second cut n2
  ping_node && wrong "n1 reaches n2 after the cut"
  second mend n2
  wait_until 10 "n1 to reach n2 again" ping_node
fi
second down
[ ! -e "$folder/other" ] || wrong "$folder/other is still there"
[ -z "$(processes_of "$folder/other")" ] || wrong "processes are left: $(processes_of "$folder/other")"
ip link show "$bridge" >/dev/null 2>&1 && wrong "$bridge is left"
expect "hosts of the first one, afterwards" "$(timeout 30 srun --nodes=2 hostname | sort | paste -sd,)" "n1,n2"
check "two at once, one with separate networks"

# ---- off and on

job=$(submit --output=none --no-requeue --nodelist=n2 --wrap 'sleep 471.1')
sleeps() { pgrep -f '^[^ ]*sleep 471\.1$' >/dev/null; }
wait_until 20 "a process on n2" sleeps
"$local_slurm" off n2
sleeps && wrong "a process on n2 has survived"
"$local_slurm" on n2
wait_for_state "$job" NODE_FAIL 30
is_idle() { [ "$(sinfo -h -n n2 -o %t)" = idle ]; }
wait_until 40 "n2 to be idle" is_idle
expect "host" "$(timeout 30 srun --nodelist=n2 hostname)" "n2"
"$local_slurm" off n7 2>off.err && wrong "there is no n7"
check "a node off and on"

# ---- run and down

"$local_slurm" run sh -c 'squeue -h && exit 9' || code=$?
expect "exit code of run" "${code:-0}" 9
timeout 30 sbatch --output=none --wrap 'sleep 1000' --nodes=2 >/dev/null
"$local_slurm" down
[ ! -e "$HS_SLURM_DIR" ] || wrong "$HS_SLURM_DIR is still there"
[ -z "$(processes_of "$HS_SLURM_DIR")" ] || wrong "processes are left: $(processes_of "$HS_SLURM_DIR")"
"$local_slurm" status 2>status.err && wrong "status without a cluster"
expect "hosts in a cluster for one command" "$("$local_slurm" run timeout 30 srun --nodes=3 hostname | sort | paste -sd,)" "n1,n2,n3"
[ ! -e "$HS_SLURM_DIR" ] || wrong "run has left $HS_SLURM_DIR"
check "run; down ends everything and leaves nothing"

# ---- refusals

mkdir "$HS_SLURM_DIR" && : >"$HS_SLURM_DIR/of a user"
"$local_slurm" up 2>refused && wrong "started in a folder of somebody else"
[ -e "$HS_SLURM_DIR/of a user" ] || wrong "deleted a file of somebody else"
rm -r "$HS_SLURM_DIR"
"$local_slurm" up 0 2>refused && wrong "a cluster of 0 nodes"
HS_SLURM_DIR="$folder/with blank" "$local_slurm" up 2>refused && wrong "started in a folder with a blank"
grep -q HS_SLURM_DIR refused || wrong "the message is: $(cat refused)"
mkdir open && cp "$local_slurm" open && chmod 755 "$folder" open open/local-slurm
setpriv --reuid=65534 --regid=65534 --clear-groups open/local-slurm up 2>refused
expect "exit code as somebody else" $? 77
grep -q 'root' refused || wrong "the message is: $(cat refused)"
unshare --mount sh -c "mount -t tmpfs tmpfs /usr/sbin && '$local_slurm' up" 2>refused
expect "exit code without slurmctld" $? 77
grep -q 'apt-get install .*slurmctld' refused || wrong "the message is: $(cat refused)"
[ ! -e "$HS_SLURM_DIR" ] || wrong "a refusal has left $HS_SLURM_DIR"
check "refusals: foreign folder, no nodes, not root, packages missing"

finish
