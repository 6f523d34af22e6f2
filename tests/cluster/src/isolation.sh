# The first process of a node's namespaces: furnishes them, and then is who orphans go to.
# isolation.sh FOLDER
set -eu
PATH="$PATH:/usr/sbin:/sbin"
folder="$1"
name="${folder##*/}"

# Places where containerd and the kubelet write whatever they are told.
for place in /run /var/log /var/lib; do
  mount -t tmpfs tmpfs "$place"
done

# Settings that the kubelet wants and that are the whole machine's: here it finds them as it likes.
pretend() {
  mkdir -p "$folder/settings/${1%/*}"
  echo "$2" >"$folder/settings/$1"
  mount --bind "$folder/settings/$1" "/proc/sys/$1"
}
pretend vm/overcommit_memory 1
pretend vm/panic_on_oom 0
pretend kernel/panic 10
pretend kernel/panic_on_oops 1
pretend kernel/keys/root_maxkeys 1000000
pretend kernel/keys/root_maxbytes 25000000

# One group for all containers, in each hierarchy if there are several (version 1).
if [ -e /sys/fs/cgroup/cgroup.procs ]; then
  mkdir "/sys/fs/cgroup/$name"
else
  for hierarchy in /sys/fs/cgroup/*/; do
    mkdir -p "$hierarchy$name"
  done
fi

ip link set lo up
ip link add cni0 type bridge
ip address add 10.200.0.1/24 dev cni0
ip link set cni0 up
# A way must be known before kube-proxy's rules change where it leads.
ip route add 10.96.0.0/16 dev cni0
echo 1 >/proc/sys/net/ipv4/ip_forward

: >"$folder/isolation.ready"
# A shell that waits for one child reaps the others too.
sleep infinity &
wait
