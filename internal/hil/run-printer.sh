# In the guest: a USB printer made by the kernel itself (both ends of the cable are inside). It has paper, has none, is broken, takes
# a job, takes one that nobody prints, and is pulled out in the middle of one.
G=/sys/kernel/config/usb_gadget/printer
mkdir -p $G/strings/0x409 $G/configs/c.1/strings/0x409 $G/functions/printer.0
echo 0x1d6b > $G/idVendor
echo 0x0104 > $G/idProduct
echo PRN0001 > $G/strings/0x409/serialnumber
echo 'MFG:SIM;MDL:ESCPOS;CMD:ESC/POS;' > $G/functions/printer.0/pnp_string
ln -s $G/functions/printer.0 $G/configs/c.1/
echo dummy_udc.0 > $G/UDC
sleep 1
for status in 24 48 16 24; do # the port's status: well, no paper, an error, well
	guest gadget -n $status
	guest ask
done
guest gadget -n 48
guest print -n 100
guest gadget -n 24
cat /dev/g_printer0 > /tmp/printed & pid=$!
guest print -n 100
sleep 1
kill $pid
echo "RESULT paper $(grep -c 'COUPON 100' /tmp/printed)"
guest print -n 1
guest print -n 100000 & pid=$!
sleep 2
guest gadget -n 48
sleep 3
echo "" > $G/UDC
wait $pid
guest ask
