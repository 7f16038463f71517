package member

import (
	"strings"
	"sync"
)

// surnames are how the family names of China are read as family names (单 is Shan, not Dan), most of them by the count of
// the 2020 census, and the compound ones. A name that is not here stays in characters.
const surnames = `
Wang 王汪 Li 李黎厉郦 Zhang 张章 Liu 刘柳 Chen 陈谌 Yang 杨羊阳 Huang 黄 Zhao 赵 Wu 吴武伍邬巫 Zhou 周 Xu 徐许胥须 Sun 孙 Ma 马麻 Zhu 朱祝诸竺
Hu 胡扈 Guo 郭 He 何贺和 Lin 林蔺 Gao 高郜 Luo 罗骆洛 Zheng 郑 Liang 梁 Xie 谢解 Song 宋 Tang 唐汤 Deng 邓 Han 韩 Feng 冯封丰
Cao 曹 Peng 彭 Zeng 曾 Xiao 肖萧 Tian 田 Dong 董 Pan 潘 Yuan 袁元苑 Cai 蔡 Jiang 蒋姜江 Yu 余于俞喻虞郁禹 Du 杜都堵 Ye 叶
Cheng 程成 Wei 魏韦卫 Su 苏宿 Lü 吕 Ding 丁 Ren 任 Lu 卢陆鲁路芦禄 Yao 姚 Shen 沈申 Zhong 钟仲 Cui 崔 Tan 谭谈 Fan 范樊 Shi 石史施时师
Liao 廖 Jia 贾 Xia 夏 Fu 付傅符扶 Fang 方房 Bai 白柏 Zou 邹 Meng 孟蒙 Xiong 熊 Qin 秦 Qiu 邱丘仇裘 Yan 严颜闫阎燕晏 Xue 薛 Hou 侯 Lei 雷
Long 龙 Tao 陶 Mao 毛茅 Hao 郝 Gu 顾古谷 Gong 龚宫巩公 Shao 邵 Wan 万 Qian 钱 Dai 戴 Ou 欧区 Mo 莫 Kong 孔 Xiang 向项 Chang 常
Duan 段 Qiao 乔 Niu 牛 Ge 葛戈盖 Xing 邢 Ji 季纪冀姬吉嵇计 Zuo 左 Mu 穆沐慕 Ning 宁 Pang 庞 Cen 岑 Wen 文温闻 Yi 易伊 Zhan 詹占湛 Ai 艾
Shu 舒束 Bao 鲍包 Ni 倪 Zang 臧 Bi 毕 Geng 耿 Qi 齐戚祁亓 Tong 童佟 Dou 窦 Hong 洪 Jin 金靳晋 Jing 井荆景 Ke 柯 Kang 康 Lan 兰蓝 Leng 冷
Lian 连廉 Ling 凌令 Lou 楼娄 Luan 栾 Mi 米糜宓 Miao 苗缪 Min 闵 Ming 明 Nie 聂 Nong 农 Ouyang 欧阳 Pei 裴 Pu 蒲濮 Piao 朴 Qu 曲屈瞿
Quan 权全 Ran 冉 Rao 饶 Ruan 阮 Shan 单 Shang 尚商 Sheng 盛 Si 司 Sang 桑 Sha 沙 Tu 涂屠 Teng 滕 Weng 翁 Xi 席习奚郗 Xian 冼 Xin 辛
Ying 应英 You 尤游 Yue 岳乐 Yun 云 Zha 查 Zong 宗 Zhuang 庄 Zhuo 卓 Zhen 甄 Zhai 翟 Ban 班 Bian 边卞 Bo 薄 Bu 步卜 Che 车 Chi 迟池 Chu 褚储楚
Cong 丛 Dang 党 Diao 刁 Dan 但 Er 尔 Fei 费 Gan 甘干 Guan 关管官 Gui 桂 Guang 广 Hua 华花 Huo 霍 Ju 鞠巨 Jiao 焦 Jie 揭 Kuang 匡邝 Lang 郎
Lai 赖 Sui 隋 She 佘 Ba 巴 Bei 贝 Tie 铁 Mou 牟 Chai 柴 Zu 祖 Xuan 宣 Kan 阚 Kou 寇
Lao 劳 Man 满 Mei 梅 Na 那 Nan 南 Ao 敖 An 安 Pi 皮 Ping 平 Qiang 强 Rong 荣容戎 Ru 茹 Tai 邰台 Wo 沃 Xun 荀 Yin 尹殷印阴 Zan 昝
Zhi 支 Zi 訾 Ha 哈 Hui 惠 Zhuge 诸葛 Sima 司马 Shangguan 上官 Ximen 西门 Dongfang 东方 Huangfu 皇甫 Yuchi 尉迟 Gongsun 公孙 Murong 慕容
Linghu 令狐 Zhangsun 长孙 Yuwen 宇文 Situ 司徒 Xiahou 夏侯 Duanmu 端木 Dugu 独孤 Nangong 南宫 Moqi 万俟 Baili 百里 Dongguo 东郭 Helian 赫连`

// compounds are the readings above that belong to one name of two characters rather than to two names.
const compounds = " Ouyang Zhuge Sima Shangguan Ximen Dongfang Huangfu Yuchi Gongsun Murong Linghu Zhangsun Yuwen Situ Xiahou Duanmu Dugu Nangong Moqi Baili Dongguo Helian "

var pinyin = sync.OnceValue(func() map[string]string {
	out := map[string]string{}
	fields := strings.Fields(surnames)
	for i := 0; i+1 < len(fields); i += 2 {
		reading, names := fields[i], fields[i+1]
		if strings.Contains(compounds, " "+reading+" ") {
			out[names] = reading
			continue
		}
		for _, r := range names {
			out[string(r)] = reading
		}
	}
	return out
})
