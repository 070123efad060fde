# What a person would write to check the same state by hand: one script a host, no output when all is right.
fail() { echo "differs: $*"; exit 1; }
dpkg -s sudo procps iproute2 >/dev/null || fail packages
getent group bench >/dev/null || fail group
id bench >/dev/null 2>&1 || fail user
for d in "755 root /srv/bench" "755 root /srv/bench/etc" "750 bench /srv/bench/log" "700 bench /srv/bench/data"; do
  set -- $d
  [ "$(stat -c '%a %U' "$3")" = "$1 $2" ] || fail "$3"
done
[ "$(readlink /srv/bench/conf)" = /srv/bench/etc ] || fail link
[ "$(sha256sum /srv/bench/etc/a /srv/bench/etc/b /srv/bench/etc/c /srv/bench/etc/d /srv/bench/etc/motd \
  /srv/bench/etc/template-a /srv/bench/etc/template-b /srv/bench/etc/template-c /srv/bench/data/f /srv/bench/data/g | wc -l)" = 10 ] || fail files
[ "$(stat -c '%a %U' /srv/bench/etc/d)" = "600 bench" ] || fail d
grep -qx first=1 /srv/bench/etc/a && grep -qx second=2 /srv/bench/etc/b && grep -qx third=3 /srv/bench/etc/c || fail lines
[ ! -e /srv/bench/old ] && [ ! -e /srv/bench/older ] || fail old
systemctl is-active --quiet ssh dbus && systemctl is-enabled --quiet ssh || fail services
