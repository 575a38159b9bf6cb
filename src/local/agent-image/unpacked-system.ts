// Makes a system that runs of unpacked Debian packages: the little that their install scripts would have done,
// without what nobody reads in a container.

export const unpackedSystem = String.raw`
set -eu
cd "$1"
mkdir -p proc sys dev run tmp root home etc/ssl/certs var/tmp var/lib usr/local/bin
chmod 1777 tmp var/tmp
chmod 700 root

[ -e etc/passwd ] || cat >etc/passwd <<END
root:x:0:0:root:/root:/bin/sh
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
END
[ -e etc/group ] || cat >etc/group <<END
root:x:0:
tty:x:5:
nogroup:x:65534:
END
[ -e etc/nsswitch.conf ] || echo 'hosts: files dns' >etc/nsswitch.conf

if [ -d usr/share/ca-certificates/mozilla ]; then
  cat usr/share/ca-certificates/mozilla/*.crt >etc/ssl/certs/ca-certificates.crt
fi

# Everything busybox can do that no package of its own does.
if [ -e bin/busybox ]; then
  for name in $(chroot . /bin/busybox --list); do
    for folder in bin sbin usr/bin usr/sbin; do [ ! -e "$folder/$name" ] || continue 2; done
    ln -s busybox "bin/$name"
  done
fi

rm -rf usr/share/doc usr/share/man usr/share/info usr/share/locale usr/share/lintian usr/share/bug \
  usr/share/bash-completion usr/share/doc-base usr/share/icons usr/share/pixmaps usr/share/applications \
  usr/lib/*/gconv var/cache/debconf

# A name that update-alternatives would have made.
for library in blas lapack; do
  for folder in usr/lib/*/$library; do
    [ ! -d "$folder" ] || ln -sf "$library/lib$library.so.3" "$folder/../lib$library.so.3"
  done
done
`;
