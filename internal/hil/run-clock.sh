# In the guest: foyerd on a box without a clock of its own (1970), then with a clock that is set far ahead and far back while it runs.
mkdir -p /sys/kernel/config/gpio-sim/wg/bank0
cd /sys/kernel/config/gpio-sim/wg/bank0
echo 8 > num_lines
mkdir -p line0 line1
echo WG_D0 > line0/name
echo WG_D1 > line1/name
echo 1 > ../live
cd /
date -s "1970-01-01 00:10:00"
guest house
(sleep 3; date -s "2031-05-05 05:05:05"; sleep 3; date -s "1999-01-01 00:00:00"; sleep 3; date -s "2026-06-14 12:00:00") &
guest house
