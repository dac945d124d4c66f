// specialnets.go lists the address blocks that no page of the public Internet is served from.

package scrape

import "net/netip"

var (
	globalUnicast = netip.MustParsePrefix("2000::/3")     // the only public block of IPv6
	nat64         = netip.MustParsePrefix("64:ff9b::/96") // IPv4 behind a translator, RFC 6052
)

// special are the blocks of the IANA registries of special-purpose addresses, multicast, and the
// addresses at which clouds answer with a machine's credentials.
var special = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),        // this network
	netip.MustParsePrefix("10.0.0.0/8"),       // private
	netip.MustParsePrefix("100.64.0.0/10"),    // behind a carrier's NAT; Alibaba's metadata
	netip.MustParsePrefix("127.0.0.0/8"),      // loopback
	netip.MustParsePrefix("168.63.129.16/32"), // Azure's host
	netip.MustParsePrefix("169.254.0.0/16"),   // link-local; metadata of most clouds
	netip.MustParsePrefix("172.16.0.0/12"),    // private
	netip.MustParsePrefix("192.0.0.0/24"),     // protocol assignments; Oracle's metadata
	netip.MustParsePrefix("192.0.2.0/24"),     // documentation
	netip.MustParsePrefix("192.88.99.0/24"),   // 6to4 relays
	netip.MustParsePrefix("192.168.0.0/16"),   // private
	netip.MustParsePrefix("198.18.0.0/15"),    // benchmarks
	netip.MustParsePrefix("198.51.100.0/24"),  // documentation
	netip.MustParsePrefix("203.0.113.0/24"),   // documentation
	netip.MustParsePrefix("224.0.0.0/4"),      // multicast
	netip.MustParsePrefix("240.0.0.0/4"),      // reserved; broadcast
	netip.MustParsePrefix("2001::/23"),        // protocol assignments; Teredo
	netip.MustParsePrefix("2001:db8::/32"),    // documentation
	netip.MustParsePrefix("2002::/16"),        // 6to4: IPv4 inside
	netip.MustParsePrefix("3fff::/20"),        // documentation
}
