#!/usr/bin/env bash
# Says what this machine lacks, and installs it where Debian's apt may (as root, or by sudo without a password).
#
#   need.sh python      prints an interpreter of Python 3.11 or newer that can make virtual environments
#   need.sh node        checks for Node 20.19 or newer, with npm
#   need.sh chromium    checks for Chromium, which browser tests and screenshots drive
#   need.sh emoji       checks for a font with emoji, which screenshots show
#   need.sh redis       checks for redis-server, which one of the peers of the benchmark wants
set -euo pipefail

say() { printf '%s\n' "$*" >&2; }

may_install() {
  command -v apt-get >/dev/null || return 1
  [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null
}

apt_install() {
  say "Installing with apt-get: $*"
  local as_root=()
  [ "$(id -u)" = 0 ] || as_root=(sudo -n)
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive sh -c '
    apt-get install -y -q --no-install-recommends "$@" ||
      { apt-get update -q && apt-get install -y -q --no-install-recommends "$@"; }' sh "$@" >&2
}

find_python() {
  local candidate
  for candidate in ${PYTHON:+"$PYTHON"} python3 python3.14 python3.13 python3.12 python3.11; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      command -v "$candidate"
      return
    fi
  done
  return 1
}

need_python() {
  local python version
  if ! python=$(find_python); then
    say "Homeroom needs Python 3.11 or newer, and found none. Install it (Debian 12, Ubuntu 24.04: apt install python3"
    say "python3-venv), or name one: make PYTHON=/path/to/python3.12 …"
    exit 1
  fi
  if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    if ! may_install || ! apt_install "python$version-venv"; then
      say "$python cannot make virtual environments. On Debian and Ubuntu: sudo apt install python$version-venv"
      exit 1
    fi
  fi
  printf '%s\n' "$python"
}

need_node() {
  local version
  if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
    say "Homeroom's web app is built with Node 20.19 or newer and npm, and at least one of them is missing."
    say "Install them from your system's packages (Debian 13, Ubuntu 25.04: apt install nodejs npm) or from nodejs.org."
    exit 1
  fi
  version=$(node -p 'process.versions.node')
  if ! sort -C -V <<<"20.19.0"$'\n'"$version"; then
    say "Homeroom's web app is built with Node 20.19 or newer; $(command -v node) is $version."
    exit 1
  fi
}

need_chromium() {
  [ -x /usr/bin/chromium ] && return
  if may_install && apt_install chromium && [ -x /usr/bin/chromium ]; then
    return
  fi
  say "The browser tests drive /usr/bin/chromium, which is not there. On Debian: sudo apt install chromium"
  exit 1
}

need_emoji() {
  [ -e /usr/share/fonts/truetype/noto/NotoColorEmoji.ttf ] && return
  if may_install && apt_install fonts-noto-color-emoji; then
    return
  fi
  say "Pictures want a font with emoji. On Debian: sudo apt install fonts-noto-color-emoji"
  exit 1
}

need_redis() {
  command -v redis-server >/dev/null && return
  if may_install && apt_install redis-server && command -v redis-server >/dev/null; then
    return
  fi
  say "Socket.IO with its Redis adapter, which Homeroom is compared with, wants Redis. On Debian: sudo apt install redis-server"
  exit 1
}

case "${1:-}" in
  python) need_python ;;
  node) need_node ;;
  chromium) need_chromium ;;
  emoji) need_emoji ;;
  redis) need_redis ;;
  *) say "usage: need.sh python | node | chromium | emoji | redis"; exit 2 ;;
esac
