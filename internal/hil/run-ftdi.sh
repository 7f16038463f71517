# In the guest: an FTDI adapter that the host plugs and pulls.
guest serial -port usb:0403:6001 -n 4
