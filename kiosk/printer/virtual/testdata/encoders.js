// node encoders.js: writes, as JSON, documents of other encoders in base64.
const receiptline = require('receiptline');
const Encoder = require('@point-of-sale/receipt-printer-encoder');
const text = '^^^FOYER\n\n优惠券 | 拾元\nCoupon | 10.00\n---\n^TOTAL | ^10.00\n\n{code:9912345678909;option:ean,hri}\n{code:HTTPS://C.EXAMPLE/7K3M;option:qrcode,4,m}\n{code:7K3M9QXW2HDF;option:code128,2,72,hri}\n';
const out = {};
for (const command of ['escpos', 'generic']) {
  out['receiptline ' + command] = Buffer.from(receiptline.transform(text, {cpl: 42, encoding: 'gb18030', command}), 'binary').toString('base64');
}
const E = Encoder.default || Encoder;
const e = new E({columns: 42, language: 'esc-pos'});
out['receipt-printer-encoder'] = Buffer.from(e.initialize().align('center').bold(true).line('FOYER').bold(false).align('left')
  .table([{width: 20, align: 'left'}, {width: 20, align: 'right'}], [['Coupon', '10.00'], ['TOTAL', '10.00']])
  .qrcode('HTTPS://C.EXAMPLE/7K3M', {model: 2, size: 4, errorlevel: 'm'}).barcode('9912345678909', 'ean13', 60)
  .cut().encode()).toString('base64');
console.log(JSON.stringify(out));
