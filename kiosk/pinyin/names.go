package pinyin

import "sync"

// surnames are the common ones, the commonest first; the order of the first hundred is about that of the yearly reports on
// names of the Ministry of Public Security.
const surnames = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林罗高郑梁谢宋唐许韩邓冯曹彭曾肖田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢姚沈钟姜崔" +
	"谭陆范汪廖石金韦贾夏付方邹熊白孟秦邱侯江尹薛闫段雷龙黎史陶贺毛郝顾龚邵万覃武钱戴严莫孔向常汤康易乔赖文施洪季温芦俞樊葛安齐伍左尚关" +
	"曲柳邢路岳梅欧焦章管殷辛翁申耿庄倪柯骆包符牛鲁甘祝涂岑詹游成华裴古阎单毕兰艾纪阮席卜饶凌童霍冉翟聂车柴吉喻裘宁解宫穆项阳苗丘查" +
	"娄房窦霍盛褚鲍舒司祁滕匡费卞应冷谷燕桂闵鄢郎景蒲靳简盘蓝屈全池巫仇沙时屠敖迟缪邬桑佘冼粟晏隋植宗刁巩蒙苑栗麦原尤盖尧畅农米仲花" +
	"朴佟区乐薄郁逄濮郦鄂鞠慕卓晁苟宓居虞荆班臧储丛邸占谌郗揭战芮税楚阚贝官寇隆满暴亓冀闻历党鹿边贡衡郜湛冮竺支羊国伊茅藏展折戈" +
	"智哈於衣后红连阴扈由须奚商敬鱼明阿"

// given are the characters that given names are often made of, the commonest first.
const given = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀英霞平刚桂华文玉红建国志海晓小春梅兰雪琳婷婉嘉佳欣怡子涵宇轩浩然梓雨诗思" +
	"俊辉鹏飞宏波斌凯健翔旭东峰龙云凤莲珍贞莉菊燕玲萍慧君珊瑞晨阳晴楠琪瑶璐颖悦萱彤依可心一诺天博睿泽奕辰铭昊皓逸航" +
	"林森鑫淼炎成立新永福生德忠义信仁祥庆荣光昌全宝金银亮世广良善学才发有元利民和安康宁乐爱美香月清秋冬夏仙娥莹洁" +
	"冰倩露馨蓉薇雯芸芬茜蕾岚若如惠淑雅曼妮妍婧媛媚丹彩青松柏江河源山岩石震雷霆鸣锋钢铁铮锐炜烨煜灿焕耀晖昕昱" +
	"景晟晗恒毅坚力胜豪雄虎彪骏骥驰腾达远进连启开承传继绍宗祖先维彦彬哲贤智聪颂诚谦礼孝敬恩友朋益道正方圆" +
	"帆帅少尚尧岳川州庭廷延年泰顺舒畅悠扬逍遥行知意悟非凡尘星曦霖沐沛汐泓洲浦润渊湘滨潇澄澜瀚"

// compoundNames are the surnames of two characters.
var compoundNames = []struct{ name, first, second string }{
	{"欧阳", "ou", "yang"}, {"上官", "shang", "guan"}, {"司马", "si", "ma"}, {"诸葛", "zhu", "ge"}, {"司徒", "si", "tu"},
	{"皇甫", "huang", "fu"}, {"令狐", "ling", "hu"}, {"端木", "duan", "mu"}, {"尉迟", "yu", "chi"}, {"慕容", "mu", "rong"},
	{"夏侯", "xia", "hou"}, {"东方", "dong", "fang"}, {"公孙", "gong", "sun"}, {"轩辕", "xuan", "yuan"}, {"宇文", "yu", "wen"},
	{"长孙", "zhang", "sun"}, {"独孤", "du", "gu"}, {"南宫", "nan", "gong"}, {"西门", "xi", "men"}, {"百里", "bai", "li"},
	{"呼延", "hu", "yan"}, {"东郭", "dong", "guo"}, {"淳于", "chun", "yu"}, {"单于", "chan", "yu"}, {"澹台", "tan", "tai"},
	{"申屠", "shen", "tu"}, {"钟离", "zhong", "li"}, {"濮阳", "pu", "yang"}, {"赫连", "he", "lian"}, {"万俟", "mo", "qi"},
	{"闻人", "wen", "ren"}, {"闾丘", "lv", "qiu"}, {"梁丘", "liang", "qiu"}, {"左丘", "zuo", "qiu"}, {"公冶", "gong", "ye"},
	{"公羊", "gong", "yang"}, {"宗政", "zong", "zheng"}, {"司空", "si", "kong"}, {"司寇", "si", "kou"}, {"鲜于", "xian", "yu"},
	{"拓跋", "tuo", "ba"}, {"太史", "tai", "shi"}, {"仲孙", "zhong", "sun"}, {"叔孙", "shu", "sun"}, {"第五", "di", "wu"},
	{"漆雕", "qi", "diao"}, {"乐正", "yue", "zheng"}, {"谷梁", "gu", "liang"}, {"亓官", "qi", "guan"}, {"巫马", "wu", "ma"},
	{"南门", "nan", "men"}, {"东门", "dong", "men"}, {"纳兰", "na", "lan"}, {"段干", "duan", "gan"},
}

// saidAs are surnames whose character has several readings: how the surname is said.
var saidAs = map[rune]string{
	'曾': "zeng", '单': "shan", '仇': "qiu", '查': "zha", '解': "xie", '区': "ou", '朴': "piao", '盖': "ge", '缪': "miao",
	'翟': "zhai", '覃': "qin", '乐': "yue", '薄': "bo", '石': "shi", '沈': "shen", '贾': "jia", '车': "che", '谷': "gu",
	'宁': "ning", '叶': "ye", '折': "she", '卜': "bu", '冼': "xian", '费': "fei", '占': "zhan", '万': "wan", '藏': "zang",
	'葛': "ge", '余': "yu", '盛': "sheng", '尉': "yu", '陆': "lu", '隆': "long", '殷': "yin", '柏': "bai",
	'於': "yu", '俞': "yu", '郗': "xi", '宓': "mi", '濮': "pu", '燕': "yan", '吕': "lv", '闾': "lv",
}

// saidSo reports whether a surname is said like this syllable.
func saidSo(r rune, syllable string) bool {
	said, several := saidAs[r]
	return !several || said == syllable || said == "lv" && (syllable == "lyu" || syllable == "lu")
}

var ranks = sync.OnceValue(func() [2]map[rune]int {
	var both [2]map[rune]int
	for i, list := range []string{surnames, given} {
		both[i] = map[rune]int{}
		for n, r := range []rune(list) {
			if both[i][r] == 0 {
				both[i][r] = n + 1
			}
		}
	}
	return both
})

// rank is how common a character is in this writing, 1 for the commonest; 0: it is not in the list.
func (w Writing) rank(r rune) int {
	if w == Text {
		return 0
	}
	return ranks()[w-Surname][r]
}
