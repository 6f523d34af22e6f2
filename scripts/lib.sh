# Sourced by the other scripts: the place, a quiet environment, progress.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 PYTHONDONTWRITEBYTECODE=1
# A snapshot that differs is a failure, never a file left behind.
export INSTA_UPDATE="${INSTA_UPDATE:-no}"

cache="$PWD/.cache"
began=$SECONDS

step() {
  printf '\n== %s (%ds)\n' "$*" "$((SECONDS - began))"
}

# Whether a node with containerd and kubelet can be started here.
can_have_node() {
  [[ $EUID -eq 0 ]] && unshare --net --mount --pid --fork true 2>/dev/null
}
