/** Lines with which the guest's init talks on the serial port; all start alike, so that they stand out among kernel messages. */
export const GUEST_MARKER = {
  /** `Q35 begin linux`: init runs. */
  BEGIN: 'Q35 begin linux',
  /** `Q35 report <bytes> <sha256>`: base64 lines of a gzipped tar follow. */
  REPORT: 'Q35 report',
  /** `Q35 end`: the report is complete. */
  END: 'Q35 end',
  /** `Q35 poweroff`: S5 comes next. */
  POWEROFF: 'Q35 poweroff',
} as const;

/** Command line for the verifying boot: kernel messages go to the log that the report carries, errors to the serial port too. */
export const VERIFY_APPEND = 'console=ttyS0,115200 quiet panic=-1';

/**
 * The init of our initramfs, for busybox sh. It gathers files under /report, packs them with tar and gzip (a byte on the serial port costs
 * the guest an exit) and prints them as base64 between markers; then it powers off by S5.
 *
 * Layout of the report: proc/{iomem,ioports,interrupts,cmdline,version,cpuinfo,meminfo}, acpi/SIGNATUREn, memmap (path:value lines),
 * dmi/{smbios_entry_point,DMI}, pci/<bdf>/{config,resource,irq,uevent,vendor,device,class,numa_node}, pci-bridges (links), dmesg.
 * Reading `irq` after `enable` makes Linux resolve the function's `_PRT` entry.
 */
export const LINUX_INIT = `#!/bin/busybox sh
export PATH=/bin
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
exec </dev/ttyS0 >/dev/ttyS0 2>&1
stty raw -echo
echo
echo "${GUEST_MARKER.BEGIN}"
cd /report
mkdir proc acpi dmi pci
for name in iomem ioports interrupts cmdline version cpuinfo meminfo; do cat /proc/$name >proc/$name; done
for table in /sys/firmware/acpi/tables/*; do [ -f $table ] && cp $table acpi/; done
cp /sys/firmware/dmi/tables/smbios_entry_point /sys/firmware/dmi/tables/DMI dmi/ 2>/dev/null
grep -r . /sys/firmware/memmap >memmap
# A suspended port would hide what is behind it.
for device in /sys/bus/pci/devices/*; do echo on >$device/power/control; done
for device in /sys/bus/pci/devices/*; do
  out=pci/\${device##*/}
  mkdir $out
  cp $device/config $device/resource $device/vendor $device/device $device/class $device/uevent $device/numa_node $out
  cp $device/irq $out/irq-line
  read class <$device/class
  case $class in
    0x06*) ;;
    *) echo 1 >$device/enable ;;
  esac
  cp $device/irq $out/irq
done 2>/dev/null
for bus in /sys/class/pci_bus/*; do echo \${bus##*/}; done >pci-buses
dmesg >dmesg
dmesg -n 1
tar cf - * | gzip -9 >/report.tgz
set -- $(sha256sum /report.tgz)
sum=$1
set -- $(wc -c /report.tgz)
echo "${GUEST_MARKER.REPORT} $1 $sum"
base64 /report.tgz
echo "${GUEST_MARKER.END}"
echo "${GUEST_MARKER.POWEROFF}"
poweroff -f
`;
