// node receiptio.js PORT [OPTIONS]: prints a receipt on the printer at that port of this computer, and says what receiptio says. It
// knows no other port than 9100, so its connections are led there.
const net = require('net');
const connect = net.connect;
net.connect = (port, host, ...rest) => connect(Number(process.argv[2]), '127.0.0.1', ...rest);
const receiptio = require('receiptio');
const text = '^^^FOYER\n\nCoupon | 10.00\n---\n^TOTAL | ^10.00\n优惠券 | 拾元\n';
receiptio.print(text, '-d 127.0.0.1 -c 42 -l zh-hans -t 20 ' + (process.argv[3] || ''))
  .then(r => { console.log(r); process.exit(0); }, e => { console.log('ERROR ' + e); process.exit(1); });
