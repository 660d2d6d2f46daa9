import OakumTestKit
import Outbound
import Testing

@Suite struct AddressKindTests {
    /// First and last address of each range, and their neighbours where those are of another kind.
    static let table: [(String, AddressKind)] = [
        ("0.0.0.0", .unspecified), ("0.255.255.255", .unspecified), ("1.0.0.0", .global), ("9.255.255.255", .global),
        ("10.0.0.0", .privateUse), ("10.255.255.255", .privateUse), ("11.0.0.0", .global),
        ("100.63.255.255", .global), ("100.64.0.0", .shared), ("100.127.255.255", .shared), ("100.128.0.0", .global),
        ("126.255.255.255", .global), ("127.0.0.0", .loopback), ("127.0.0.1", .loopback),
        ("127.255.255.255", .loopback), ("128.0.0.0", .global), ("169.253.255.255", .global),
        ("169.254.0.0", .linkLocal), ("169.254.169.254", .linkLocal), ("169.254.255.255", .linkLocal),
        ("169.255.0.0", .global), ("172.15.255.255", .global), ("172.16.0.0", .privateUse),
        ("172.31.255.255", .privateUse), ("172.32.0.0", .global), ("191.255.255.255", .global),
        ("192.0.0.0", .reserved), ("192.0.0.255", .reserved), ("192.0.1.0", .global), ("192.0.2.0", .documentation),
        ("192.0.2.255", .documentation), ("192.0.3.0", .global), ("192.88.98.255", .global),
        ("192.88.99.0", .translated), ("192.88.99.255", .translated), ("192.88.100.0", .global),
        ("192.167.255.255", .global), ("192.168.0.0", .privateUse), ("192.168.255.255", .privateUse),
        ("192.169.0.0", .global), ("198.17.255.255", .global), ("198.18.0.0", .documentation),
        ("198.19.255.255", .documentation), ("198.20.0.0", .global), ("198.51.99.255", .global),
        ("198.51.100.0", .documentation), ("198.51.100.255", .documentation), ("198.51.101.0", .global),
        ("203.0.112.255", .global), ("203.0.113.0", .documentation), ("203.0.113.255", .documentation),
        ("203.0.114.0", .global), ("223.255.255.255", .global), ("224.0.0.0", .multicast),
        ("239.255.255.255", .multicast), ("240.0.0.0", .reserved), ("255.255.255.255", .reserved),
        ("8.8.8.8", .global), ("::", .unspecified), ("::1", .loopback), ("::2", .translated),
        ("::127.0.0.1", .translated), ("::ffff:127.0.0.1", .translated), ("::ffff:8.8.8.8", .translated),
        ("::ffff:0:127.0.0.1", .translated), ("64:ff9b::a9fe:a9fe", .translated), ("64:ff9b:1::1", .translated),
        ("64:ff9b:1:ffff:ffff:ffff:ffff:ffff", .translated), ("64:ff9b:2::1", .reserved), ("100::1", .reserved),
        ("1fff:ffff::1", .reserved), ("2000::1", .global), ("2001::1", .translated), ("2001:1::1", .reserved),
        ("2001:2::1", .documentation), ("2001:2:1::1", .reserved), ("2001:10::1", .reserved),
        ("2001:20::1", .reserved), ("2001:1ff:ffff::1", .reserved), ("2001:200::1", .global),
        ("2001:db7:ffff::1", .global), ("2001:db8::1", .documentation), ("2001:db9::1", .global),
        ("2001:4860:4860::8888", .global), ("2002::1", .translated), ("2002:7f00:1::", .translated),
        ("2003::1", .global), ("2606:4700::1111", .global), ("3ffe:ffff::1", .global), ("3fff::1", .documentation),
        ("3fff:fff:ffff::1", .documentation), ("3fff:1000::1", .global), ("4000::1", .reserved),
        ("5f00::1", .reserved), ("fbff::1", .reserved), ("fc00::1", .uniqueLocal), ("fd12:3456::1", .uniqueLocal),
        ("fdff:ffff::1", .uniqueLocal), ("fe00::1", .reserved), ("fe7f::1", .reserved), ("fe80::1", .linkLocal),
        ("febf:ffff::1", .linkLocal), ("fec0::1", .uniqueLocal), ("feff::1", .uniqueLocal), ("ff00::1", .multicast),
        ("ff02::1", .multicast), ("ffff::1", .multicast),
    ]

    @Test(arguments: table) func `an address is what the registries say`(text: String, kind: AddressKind) throws {
        #expect(AddressKind(try #require(NetworkAddress(text))) == kind)
    }

    @Test func `every kind is in the table`() {
        #expect(Set(Self.table.map(\.1)) == Set(AddressKind.allCases))
    }

    @Test func `nothing but public addresses passes without a permit`() throws {
        let host = try #require(HostName("example.org"))
        for (text, kind) in Self.table {
            let address = try #require(NetworkAddress(text))
            #expect(NetworkPolicy.publicOnly.refusal(of: address, host: host) == (kind == .global ? nil : kind))
        }
    }

    @Test func `a permit for everything still refuses what nobody can mean`() throws {
        let host = try #require(HostName("example.org"))
        let all = NetworkPolicy(
            allow: [try #require(.init("0.0.0.0/0")), try #require(.init("::/0")), .host("example.org")])
        for (text, kind) in Self.table {
            let refused = all.refusal(of: try #require(NetworkAddress(text)), host: host) != nil
            // Of the translated ones those that lead to 0.0.0.0/8 or the like.
            let isHopeless = [.multicast, .unspecified, .reserved].contains(kind) || text == "::2"
            if kind != .translated || text == "::2" { #expect(refused == isHopeless, "\(text)") }
        }
    }

    @Test func `what is inside a translated address counts as well`() throws {
        let host = try #require(HostName("example.org"))
        func refusal(_ text: String, _ permits: [String]) throws -> AddressKind? {
            let policy = NetworkPolicy(allow: try permits.map { try #require(NetworkPolicy.Permit($0)) })
            return policy.refusal(of: try #require(NetworkAddress(text)), host: host)
        }
        #expect(try refusal("::ffff:10.1.2.3", ["10.0.0.0/8"]) == .translated)
        #expect(try refusal("::ffff:10.1.2.3", ["::ffff:0:0/96"]) == .privateUse)
        #expect(try refusal("::ffff:10.1.2.3", ["::ffff:0:0/96", "10.0.0.0/8"]) == nil)
        #expect(try refusal("64:ff9b::8.8.8.8", ["64:ff9b::/96"]) == nil)
        #expect(try refusal("64:ff9b::169.254.169.254", ["64:ff9b::/96"]) == .linkLocal)
        #expect(try refusal("64:ff9b::127.0.0.1", ["64:ff9b::/96"]) == .loopback)
        #expect(try refusal("2002:7f00:1::1", ["2002::/16"]) == .loopback)
        #expect(try refusal("2002:808:808::1", ["2002::/16"]) == nil)
        // Teredo writes the client's address inverted: ~127.0.0.1.
        #expect(try refusal("2001:0:808:808::80ff:fffe", ["2001::/32"]) == .loopback)
    }

    @Test func `a listed host may be private, but not link-local`() throws {
        let host = try #require(HostName("Relay.Internal."))
        let policy = NetworkPolicy(allow: [try #require(.init("relay.internal"))])
        for (text, expected) in [
            ("10.0.0.1", nil), ("127.0.0.1", nil), ("100.64.0.1", nil), ("fd00::1", nil), ("::1", nil),
            ("169.254.169.254", .linkLocal), ("fe80::1", .linkLocal), ("192.0.2.1", .documentation),
        ] as [(String, AddressKind?)] {
            #expect(policy.refusal(of: try #require(NetworkAddress(text)), host: host) == expected, "\(text)")
        }
        let other = try #require(HostName("other.internal"))
        #expect(policy.refusal(of: try #require(NetworkAddress("10.0.0.1")), host: other) == .privateUse)
    }

    @Test(arguments: [
        "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "127.1", "127.0.1", "127.0.0.01", "0x7f.0.0.1", "1.2.3",
        "1.2.3.4.5", "256.1.1.1", "example.0x10", "example.7", "0", "０.0.0.0", "①②⑦.0.0.1", "127。0。0。1", "",
        ".", "a..b", "[127.0.0.1]", "[::1", "::1%eth0", "[fe80::1%25eth0]", "a b", "a/b", "a@b", "a:80", "exa\u{0}mple",
        "bücher.example",
    ]) func `odd spellings are no host names`(text: String) {
        #expect(HostName(text) == nil)
    }

    @Test func `proper hosts are read`() throws {
        for (text, canonical) in [
            ("Example.ORG.", "example.org"), ("xn--bcher-kva.example", "xn--bcher-kva.example"), ("a_b.c", "a_b.c"),
            ("localhost", "localhost"), ("127.0.0.1", "127.0.0.1"), ("[2001:DB8:0::1]", "2001:db8::1"),
            ("2001:db8::1", "2001:db8::1"), ("3com.example", "3com.example"), ("0xcafe.example", "0xcafe.example"),
        ] {
            #expect(try #require(HostName(text)).text == canonical)
        }
        #expect(try #require(HostName("127.0.0.1")).isNumeric)
        #expect(!(try #require(HostName("localhost")).isNumeric))
    }

    @Test func `ranges are read, and misleading ones are not`() throws {
        for text in ["10.0.0.0/8", "10.1.2.3", "0.0.0.0/0", "fd00::/8", "::1", "2001:db8::/33"] {
            #expect(try #require(AddressRange(text)).description == text)
        }
        for text in ["10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8/8", "10/8", "fd00::1/8", "x"]
        {
            #expect(AddressRange(text) == nil, "\(text)")
        }
    }

    @Test func `a range holds exactly the addresses that share its bits`() async throws {
        try await forAll(seeds: 300) { generator in
            let count = generator.chance(0.5) ? 4 : 16
            let base = generator.bytes(count)
            let bits = generator.int(0...(count * 8))
            let masked = base.enumerated().map { index, byte -> UInt8 in
                (0..<8).reduce(0) { index * 8 + $1 < bits ? $0 | (byte & (0x80 >> UInt8($1))) : $0 }
            }
            let text = "\(try #require(NetworkAddress(bytes: masked)))/\(bits)"
            let range = try #require(AddressRange(text))
            var inside = base
            var outside: [UInt8]?
            for position in bits..<(count * 8) where generator.chance(0.5) {
                inside[position / 8] ^= 0x80 >> UInt8(position % 8)
            }
            if bits > 0 {
                let position = generator.int(0...(bits - 1))
                outside = inside
                outside?[position / 8] ^= 0x80 >> UInt8(position % 8)
            }
            #expect(range.contains(try #require(NetworkAddress(bytes: inside))), "\(text)")
            if let outside { #expect(!range.contains(try #require(NetworkAddress(bytes: outside))), "\(text)") }
        }
    }
}
