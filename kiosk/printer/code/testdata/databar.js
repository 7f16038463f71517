// Prints, for each line of standard input (room in modules, a tab, an element string), the modules that bwip-js makes: rows of 0 and 1
// joined by "/", each run of equal rows once with its height.
const bwipjs = require('bwip-js');
const lines = require('fs').readFileSync(0, 'utf8').split('\n').filter(l => l);
for (const line of lines) {
  const [segments, text] = line.split('\t');
  const stacked = segments !== '22';
  let out;
  try {
    const r = bwipjs.raw({bcid: stacked ? 'databarexpandedstacked' : 'databarexpanded', text, segments, dontlint: true})[0];
    if (r.sbs) {
      let dark = true, row = ''; // the first width is a bar's
      for (const w of r.sbs) { row += (dark ? '1' : '0').repeat(w); dark = !dark; }
      out = row + '*1';
    } else {
      const rows = [];
      for (let y = 0; y * r.pixx < r.pixs.length; y++) {
        rows.push(Array.from(r.pixs.slice(y * r.pixx, (y + 1) * r.pixx)).join(''));
      }
      out = rows.join('/');
    }
  } catch (e) { out = 'ERROR ' + e; }
  console.log(out);
}
