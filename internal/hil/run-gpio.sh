# In the guest: a chip with the two lines of a Wiegand reader, and cards at every spacing, with the reader stalled, and with
# the chip taken away.
mkdir -p /sys/kernel/config/gpio-sim/wg/bank0
cd /sys/kernel/config/gpio-sim/wg/bank0
echo 8 > num_lines
mkdir -p line0 line1
echo WG_D0 > line0/name
echo WG_D1 > line1/name
echo 1 > ../live
cd /
for spacing in 2ms 1ms 200us; do guest cards -spacing $spacing; done
for stall in 40ms 500ms; do guest cards -pause 100ms -stall $stall; done
guest cards -profile wiegand48 -pause 100ms -stall 500ms
guest vanish -n 5
guest signals
guest house
