#!/bin/sh
# Installs what the tests need and this machine lacks: a C compiler for the race detector, the servers
# that are tested against, a browser, node for the public suite of HTTP caches, the programs that
# thumbnails are made with and compared to, Prometheus, and what the first ten minutes of a newcomer
# take. On Debian and its relatives it uses apt-get, as root or by sudo; elsewhere it says what to
# install.
set -eu

missing=""
command -v cc >/dev/null 2>&1 || missing="$missing gcc libc6-dev"
command -v git >/dev/null 2>&1 || missing="$missing git"
command -v redis-server >/dev/null 2>&1 || missing="$missing redis-server"
command -v memcached >/dev/null 2>&1 || missing="$missing memcached"
ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || command -v postgres >/dev/null 2>&1 ||
	missing="$missing postgresql"
command -v chromium >/dev/null 2>&1 || command -v google-chrome >/dev/null 2>&1 ||
	missing="$missing chromium"
command -v node >/dev/null 2>&1 || missing="$missing nodejs"
command -v vipsthumbnail >/dev/null 2>&1 || missing="$missing libvips-tools"
command -v python3 >/dev/null 2>&1 || missing="$missing python3"
command -v curl >/dev/null 2>&1 || missing="$missing curl"
command -v ffmpeg >/dev/null 2>&1 || missing="$missing ffmpeg"
command -v prometheus >/dev/null 2>&1 || missing="$missing prometheus"
[ -z "$missing" ] && exit 0

as_root=""
[ "$(id -u)" = 0 ] || as_root="sudo"
if ! command -v apt-get >/dev/null 2>&1 || { [ -n "$as_root" ] && ! command -v sudo >/dev/null 2>&1; }; then
	echo "the tests need packages that this machine lacks; install (Debian's names):$missing" >&2
	exit 1
fi
echo "installing$missing"
$as_root apt-get update -qq
DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends $missing >/dev/null
