# To be sourced: apt for Debian suites that this machine does not have, in a
# folder of its own, so that packages can be fetched without installing any.
#
#   use_suites WORK SUITE...    apt-get and apt-cache are of those, from then on

use_suites() {
  work=$1
  shift
  keys=/usr/share/keyrings/debian-archive-keyring.gpg
  # The archive that this machine's own packages come from.
  # Where apt has no lists yet, it does not know an archive's origin.
  archive=$(apt-get indextargets --format '$(SITE) $(RELEASE) $(ORIGIN)' 'Identifier: Packages' |
    awk -v codename="$(. /etc/os-release && echo "$VERSION_CODENAME")" '
      $2 == codename && $3 ~ /^(Debian|\$.*)$/ { print $1; exit }')
  if [ -z "$archive" ]; then
    echo "$0: apt knows no Debian archive" >&2
    return 1
  fi
  mkdir -p "$work/state/lists/partial" "$work/cache/archives/partial" "$work/etc"
  : >"$work/state/status"
  for each; do
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
}
