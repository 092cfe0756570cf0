//! Where a request came from: its peer, or what a proxy that we trust says of it.
//!
//! `X-Forwarded-For` is a list to which each proxy appends whom it got the request from. A caller writes what it likes
//! in front, so the list is read from its end, and only for as long as those who wrote it are trusted: by their addresses,
//! or, where a platform does not say those, by how many there are.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use axum::extract::ConnectInfo;
use axum::http::{Extensions, HeaderMap, HeaderName};

use crate::config::TrustedProxies;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The address that a request came from; an IPv4 address never as an IPv6 one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientAddress(pub IpAddr);

impl ClientAddress {
    /// The peer's address (`ConnectInfo<SocketAddr>` in the extensions), or, while it is one of `trusted`, the one
    /// before it in `X-Forwarded-For`. What is no address ends the walk. `None` where nobody said who the peer is.
    ///
    /// A list with fewer entries than trusted hops is walked to its front: the request has not come through all of them. Whoever
    /// can pass by a proxy could as well write the entry that it would have, so that nobody can is for the platform to see to.
    #[must_use]
    pub fn of(extensions: &Extensions, headers: &HeaderMap, trusted: &TrustedProxies) -> Option<Self> {
        let ConnectInfo(peer) = extensions.get::<ConnectInfo<SocketAddr>>()?;
        let mut address = peer.ip().to_canonical();
        let lines = headers.get_all(X_FORWARDED_FOR).iter().rev();
        let mut before = lines.flat_map(|line| line.to_str().unwrap_or_default().rsplit(',')).map(entry);
        let mut passed = 0;
        while match trusted {
            TrustedProxies::Networks(networks) => networks.iter().any(|network| network.contains(&address)),
            TrustedProxies::Hops(hops) => passed < hops.get(),
        } {
            let Some(Some(next)) = before.next() else { break };
            address = next;
            passed += 1;
        }
        Some(Self(address))
    }

    /// What a limit counts by: an IPv6 address by its /64, all of which is one customer's.
    #[must_use]
    pub fn limit_key(&self) -> IpAddr {
        match self.0 {
            IpAddr::V4(_) => self.0,
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
            }
        }
    }
}

/// One entry of the list; some proxies write the port too.
fn entry(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let address = text.parse().or_else(|_| text.parse().map(|address: SocketAddr| address.ip()));
    address.ok().map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROXIES: [&str; 3] = ["169.254.0.0/16", "10.1.0.0/16", "fd00::/8"];

    fn of(peer: &str, lines: &[&str]) -> String {
        of_those(
            peer,
            lines,
            &TrustedProxies::Networks(PROXIES.map(|network| network.parse().unwrap()).into()),
        )
    }

    /// Where Cloud Run has `hops` proxies in front, its own among them.
    fn after(hops: u8, lines: &[&str]) -> String {
        of_those("169.254.1.1", lines, &TrustedProxies::Hops(hops.try_into().unwrap()))
    }

    fn of_those(peer: &str, lines: &[&str], trusted: &TrustedProxies) -> String {
        let mut extensions = Extensions::new();
        extensions.insert(ConnectInfo(SocketAddr::new(peer.parse().unwrap(), 443)));
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(X_FORWARDED_FOR, line.parse().unwrap());
        }
        ClientAddress::of(&extensions, &headers, trusted).unwrap().0.to_string()
    }

    #[test]
    fn a_peer_that_is_no_proxy_of_ours_is_the_client_whatever_it_says() {
        assert_eq!(of("203.0.113.7", &[]), "203.0.113.7");
        assert_eq!(of("203.0.113.7", &["198.51.100.1"]), "203.0.113.7");
        assert_eq!(of("203.0.113.7", &["198.51.100.1, 10.1.0.1"]), "203.0.113.7");
        assert_eq!(of("2001:db8::1", &["198.51.100.1"]), "2001:db8::1");
    }

    #[test]
    fn a_trusted_proxy_is_believed_about_the_one_before_it_and_nobody_further() {
        assert_eq!(of("169.254.1.1", &["203.0.113.7"]), "203.0.113.7");
        // What the caller wrote itself stands in front.
        assert_eq!(of("169.254.1.1", &["198.51.100.1, 203.0.113.7"]), "203.0.113.7");
        assert_eq!(of("169.254.1.1", &["198.51.100.1, 10.1.0.1, 203.0.113.7"]), "203.0.113.7");
    }

    #[test]
    fn the_walk_goes_through_every_trusted_proxy_and_all_lines() {
        assert_eq!(of("169.254.1.1", &["203.0.113.7, 10.1.0.9", "10.1.0.1"]), "203.0.113.7");
        assert_eq!(of("fd00::1", &["198.51.100.1", "203.0.113.7,10.1.0.9 , 10.1.0.1"]), "203.0.113.7");
        // A request of a proxy itself.
        assert_eq!(of("169.254.1.1", &["10.1.0.9, 10.1.0.1"]), "10.1.0.9");
        assert_eq!(of("169.254.1.1", &[]), "169.254.1.1");
    }

    #[test]
    fn what_is_no_address_ends_the_walk_at_the_last_good_one() {
        for line in ["", "unknown", "203.0.113.7, _hidden", "203.0.113.7, ", "203.0.113.7, 1.2.3"] {
            assert_eq!(of("169.254.1.1", &[line]), "169.254.1.1", "{line}");
        }
        assert_eq!(of("169.254.1.1", &["203.0.113.7, x, 10.1.0.1"]), "10.1.0.1");
        let mut headers = HeaderMap::new();
        headers.append(X_FORWARDED_FOR, axum::http::HeaderValue::from_bytes(b"203.0.113.7\xff").unwrap());
        let mut extensions = Extensions::new();
        extensions.insert(ConnectInfo(SocketAddr::from(([10, 1, 0, 1], 443))));
        let found = ClientAddress::of(
            &extensions,
            &headers,
            &TrustedProxies::Networks(vec!["10.1.0.0/16".parse().unwrap()]),
        );
        assert_eq!(found.unwrap().0.to_string(), "10.1.0.1");
    }

    #[test]
    fn of_so_many_proxies_each_has_written_one_entry_from_the_end() {
        // Cloud Run called directly, and through a gateway.
        assert_eq!(after(1, &["203.0.113.7"]), "203.0.113.7");
        assert_eq!(after(2, &["203.0.113.7, 107.178.200.1"]), "203.0.113.7");
        assert_eq!(after(3, &["203.0.113.7", "35.191.0.1,107.178.200.1"]), "203.0.113.7");
        // What the caller wrote itself stands in front, however much it is.
        assert_eq!(after(1, &["198.51.100.1, 203.0.113.7"]), "203.0.113.7");
        assert_eq!(
            after(2, &["1.1.1.1, 2.2.2.2", "198.51.100.1, 203.0.113.7, 107.178.200.1"]),
            "203.0.113.7"
        );
        assert_eq!(after(2, &["unknown, 203.0.113.7, 107.178.200.1"]), "203.0.113.7");
    }

    #[test]
    fn a_list_shorter_than_the_proxies_is_walked_to_its_front_and_no_further() {
        assert_eq!(after(2, &["203.0.113.7"]), "203.0.113.7");
        assert_eq!(after(9, &["203.0.113.7, 107.178.200.1"]), "203.0.113.7");
        for none in [&[][..], &[""], &["unknown"]] {
            assert_eq!(after(2, none), "169.254.1.1", "{none:?}");
        }
        assert_eq!(after(2, &["203.0.113.7, unknown, 107.178.200.1"]), "107.178.200.1");
    }

    #[test]
    fn an_address_is_the_same_with_a_port_and_as_ipv6() {
        assert_eq!(of("::ffff:169.254.1.1", &["203.0.113.7:61000"]), "203.0.113.7");
        assert_eq!(of("169.254.1.1", &["::ffff:203.0.113.7"]), "203.0.113.7");
        assert_eq!(of("169.254.1.1", &["[2001:db8::1]:61000"]), "2001:db8::1");
        assert_eq!(of("169.254.1.1", &["203.0.113.7, ::ffff:10.1.0.1"]), "203.0.113.7");
    }

    #[test]
    fn nobody_is_known_where_nobody_said_who_the_peer_is() {
        let mut headers = HeaderMap::new();
        headers.insert(X_FORWARDED_FOR, "203.0.113.7".parse().unwrap());
        assert_eq!(ClientAddress::of(&Extensions::new(), &headers, &TrustedProxies::default()), None);
    }

    #[test]
    fn a_limit_counts_an_ipv6_address_by_its_64() {
        let key = |text: &str| ClientAddress(text.parse().unwrap()).limit_key().to_string();
        assert_eq!(key("203.0.113.7"), "203.0.113.7");
        assert_eq!(key("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(key("2001:db8:1:2::1"), key("2001:db8:1:2:ffff::1"));
        assert_ne!(key("2001:db8:1:2::1"), key("2001:db8:1:3::1"));
    }
}
