package badge

import (
	"fmt"
	"net"
	"strings"
)

// Private lists the networks that addresses in certificates may be of: RFC 1918, RFC 4193, loopback and link-local.
func Private() []*net.IPNet {
	var all []*net.IPNet
	for _, text := range []string{"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "169.254.0.0/16", "fc00::/7", "fe80::/10", "::1/128"} {
		_, n, err := net.ParseCIDR(text)
		if err != nil {
			panic(err) // a programmer's error
		}
		all = append(all, n)
	}
	return all
}

// CheckName reports a name that no certificate of a box may bear: it must be an address of a private network, or label.local.
func CheckName(name string) error {
	if ip := net.ParseIP(name); ip != nil {
		for _, n := range Private() {
			if n.Contains(ip) {
				return nil
			}
		}
		return fmt.Errorf("%s is no address of a private network", name)
	}
	host, local := strings.CutSuffix(name, ".local")
	if !local || len(name) > 253 {
		return fmt.Errorf("%.80q is no name in a store's own network: want one that ends in .local, or an address", name)
	}
	for label := range strings.SplitSeq(host, ".") {
		if label == "" || len(label) > 63 || strings.Trim(label, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") != "" {
			return fmt.Errorf("%.80q is no name: want labels of letters, digits and dashes", name)
		}
	}
	return nil
}
