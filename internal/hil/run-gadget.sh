# In the guest: a USB serial device made by the kernel itself (both ends of the cable are inside), plugged and pulled, and one
# that takes no data.
G=/sys/kernel/config/usb_gadget/reader
mkdir -p $G/strings/0x409 $G/configs/c.1/strings/0x409 $G/functions/acm.0
echo 0x1d6b > $G/idVendor
echo 0x0104 > $G/idProduct
echo RFID0001 > $G/strings/0x409/serialnumber
ln -s $G/functions/acm.0 $G/configs/c.1/
plug() { echo dummy_udc.0 > $G/UDC; sleep 1; stty -F /dev/ttyGS0 raw -echo; }
unplug() { echo "" > $G/UDC; sleep 1; }
guest serial -port usb:1d6b:0104:RFID0001 -n 4 & pid=$!
for i in 1 2 3 4; do
	plug
	sleep 2
	echo "CARD$i" > /dev/ttyGS0
	sleep 1
	unplug
done
wait $pid
plug
guest stuck -port usb:1d6b:0104
unplug
