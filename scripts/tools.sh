#!/bin/sh
# Installs the system packages that a group of make targets needs, where they are missing (Debian, through apt; sudo where not root).
#   tools.sh build | wasm | test | webgpu | check | onednn | arm
set -eu
case "$1" in
  build) packages='gcc libc6-dev make' ;;
  wasm) packages='clang-19 lld-19 wasi-libc libclang-rt-19-dev-wasm32' ;;
  test) packages='gcc libc6-dev make pkg-config libcmocka-dev clang libclang-rt-14-dev chromium libvulkan1' ;;
  webgpu) packages='libvulkan1 chromium' ;; # the loader of Vulkan, and a software adapter for it
  check) packages='gcc libc6-dev make clang-format cppcheck' ;;
  onednn) packages='libdnnl-dev' ;;
  arm) packages='clang libc6-dev-arm64-cross' ;;
  *) echo "tools.sh: unknown group '$1' (build, wasm, test, webgpu, check, onednn, arm)" >&2; exit 2 ;;
esac
missing=
for p in $packages; do
  dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing="$missing $p"
done
[ -n "$missing" ] || exit 0
if ! command -v apt-get >/dev/null; then
  echo "These are needed and there is no apt-get to install them:$missing" >&2
  exit 1
fi
sudo=
[ "$(id -u)" -eq 0 ] || sudo=sudo
echo "Installing$missing"
$sudo apt-get update -qq
$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
