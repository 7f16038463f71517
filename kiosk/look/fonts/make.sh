#!/bin/sh
# Makes FoyerSansSC-Regular.otf and FoyerSansSC-Bold.otf: Noto Sans CJK SC cut down to what Foyer's screens can say.
#
# The characters: all 8,105 of the state list of Chinese characters (通用规范汉字表, Unihan field kTGH), ASCII, Latin-1 and
# Latin Extended-A, pinyin tone marks, general and CJK punctuation, full-width forms, arrows, a few signs.
# The family is renamed, so that no reserved font name is used; the licence stays the OFL (OFL.txt beside this file).
#
# Needs the Debian packages fonts-noto-cjk, python3-fonttools and unicode-data. The result is checked in, so that nobody
# needs to run this to build Foyer.
set -eu
cd "$(dirname "$0")"
fonts=/usr/share/fonts/opentype/noto
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

bzcat /usr/share/unicode/Unihan_OtherMappings.txt.bz2 | awk '/^U/ && $2 == "kTGH" { print substr($1, 3) }' >"$work/set.txt"
test "$(wc -l <"$work/set.txt")" -eq 8105
cat >>"$work/set.txt" <<'RANGES'
0020-007E
00A0-017F
01CD-01DC
01F8-01F9
2010-2027
2030-203E
20AC
2103
2116
2122
2190-2199
2460-2473
25A0-25A1
25B2-25B3
25B6-25B7
25BC-25BD
25C6-25C7
25CB
25CE-25CF
2605-2606
2640
2642
2661
2665
266A
2713
3000-3017
301C
FF01-FF5E
FFE5
RANGES

for weight in Regular Bold; do
	/usr/bin/python3 -m fontTools.subset "$fonts/NotoSansCJK-$weight.ttc" --font-number=2 \
		--unicodes-file="$work/set.txt" --layout-features=kern --no-hinting --desubroutinize \
		--name-IDs='*' --name-languages=1033 --output-file="$work/$weight.otf"
	/usr/bin/python3 - "$work/$weight.otf" "FoyerSansSC-$weight.otf" "$weight" <<'PY'
import sys
from fontTools.ttLib import TTFont

source, target, weight = sys.argv[1:]
font = TTFont(source, recalcTimestamp=False)
names = {1: "Foyer Sans SC", 2: weight, 3: "Foyer Sans SC " + weight, 4: "Foyer Sans SC " + weight,
         6: "FoyerSansSC-" + weight,
         10: "Noto Sans CJK SC, cut down to the characters that Foyer shows."}
for record in list(font["name"].names):
    if record.nameID in (16, 17, 21, 22, 25):
        font["name"].removeNames(record.nameID)
    elif record.nameID in names:
        record.string = names[record.nameID]
top = font["CFF "].cff
top.fontNames = ["FoyerSansSC-" + weight]
top[0].FamilyName = "Foyer Sans SC"
top[0].FullName = "Foyer Sans SC " + weight
font.save(target)
PY
done
ls -l ./*.otf
