#!/bin/sh
# Puts QEMU releases beside the installed one, from Debian packages, installing
# nothing: `interop/fetch_qemu.sh 10.0 11.1`. Each goes into a folder of its own,
# $MIGSTREAM_QEMU/RELEASE (default: ~/.cache/migstream/qemu), where the harness
# finds it. A release that is there already is left alone.
# Exit status 1, and a line why, if one cannot be had.
set -eu

cache=${MIGSTREAM_QEMU:-${XDG_CACHE_HOME:-$HOME/.cache}/migstream/qemu}
keys=/usr/share/keyrings/debian-archive-keyring.gpg

fetch() {
  release=$1
  case $release in
    10.0) suite=trixie pinned= ;;
    11.1) suite=trixie pinned=trixie-backports ;;
    *)
      echo "$0: no Debian suite with QEMU $release is known, only 10.0 and 11.1" >&2
      return 1
      ;;
  esac
  # The archive that this machine's own packages come from.
  # Where apt has no lists yet, it does not know an archive's origin.
  archive=$(apt-get indextargets --format '$(SITE) $(RELEASE) $(ORIGIN)' 'Identifier: Packages' |
    awk -v codename="$(. /etc/os-release && echo "$VERSION_CODENAME")" '
      $2 == codename && $3 ~ /^(Debian|\$.*)$/ { print $1; exit }')
  if [ -z "$archive" ]; then
    echo "$0: apt knows no Debian archive" >&2
    return 1
  fi

  work=$cache/$release.part
  rm -rf "$work"
  mkdir -p "$work/root" "$work/state/lists/partial" "$work/cache/archives/partial" "$work/etc"
  : >"$work/state/status"
  for each in $suite $pinned; do
    echo "deb [signed-by=$keys] $archive $each main"
  done >"$work/etc/sources.list"
  # Only the machine's proxies and the like are taken over.
  cat >"$work/etc/apt.conf" <<CONF
Dir::State "$work/state";
Dir::State::status "$work/state/status";
Dir::Cache "$work/cache";
Dir::Etc::sourcelist "$work/etc/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Acquire::Languages "none";
APT::Sandbox::User "";
APT::Get::List-Cleanup "false";
CONF
  export APT_CONFIG="$work/etc/apt.conf"
  apt-get -qq update
  apt-get -qq -y --no-install-recommends --download-only ${pinned:+-t "$pinned"} \
    install qemu-system-x86 seabios ipxe-qemu
  for package in "$work"/cache/archives/*.deb; do
    dpkg-deb --fsys-tarfile "$package" |
      tar -x -C "$work/root" --exclude=./usr/share/doc --exclude=./usr/share/man
  done
  [ -e "$work/root/lib64" ] || ln -s usr/lib64 "$work/root/lib64"
  mv "$work/root" "$cache/$release"
  rm -rf "$work"
}

[ $# -gt 0 ] || set -- 10.0 11.1
mkdir -p "$cache"
exec 9>"$cache/lock"
flock 9
status=0
for release; do
  [ -x "$cache/$release/usr/bin/qemu-system-x86_64" ] && continue
  log=$(mktemp)
  # In the background, as `set -e` is off in a command that is tested.
  fetch "$release" >"$log" 2>&1 &
  if ! wait $!; then
    cat "$log" >&2
    echo "$0: could not get QEMU $release" >&2
    status=1
  fi
  rm -f "$log"
done
exit "$status"
