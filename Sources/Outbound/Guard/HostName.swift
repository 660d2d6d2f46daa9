/// The host of an address as people write it: a name, or an address in its one canonical spelling.
///
/// `2130706433`, `0x7f.1` and `0177.0.0.1` mean 127.0.0.1 to inet_aton(3) and to many libraries, and something else or
/// nothing to others. Such spellings serve nobody but an attacker, so they are no host names here.
package struct HostName: Hashable, Sendable {
    /// Lower case, without brackets and without a dot at its end.
    package let text: String
    /// The address it spells; nil: a name that has to be looked up.
    package let address: NetworkAddress?

    package var isNumeric: Bool { address != nil }

    /// Nil for an empty or overlong text, characters other than ASCII letters, digits, `-`, `_` and `.`, and a number in
    /// any spelling but the canonical one.
    package init?(_ text: String) {
        var host = text.lowercased()
        if host.hasPrefix("["), host.hasSuffix("]") {
            guard let address = NetworkAddress(String(host.dropFirst().dropLast())), address.family == .v6 else {
                return nil
            }
            self.text = address.description
            self.address = address
            return
        }
        if host.hasSuffix(".") { host.removeLast() }
        if let address = NetworkAddress(host) {
            self.text = address.description
            self.address = address
            return
        }
        let labels = host.split(separator: ".", omittingEmptySubsequences: false)
        guard (1...253).contains(host.utf8.count), labels.allSatisfy({ (1...63).contains($0.utf8.count) }),
            host.utf8.allSatisfy(Self.isNameByte), let last = labels.last, !Self.isNumber(last)
        else { return nil }
        self.text = host
        self.address = nil
    }

    /// International names come in their ASCII form (`xn--…`): other letters fold to digits and dots in ways that
    /// parsers disagree about.
    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"),
            UInt8(ascii: "_"), UInt8(ascii: "."):
            true
        default: false
        }
    }

    /// Whether the last label makes inet_aton(3) or a browser (WHATWG URL, "ends in a number") read a number.
    private static func isNumber(_ label: Substring) -> Bool {
        let digits = label.hasPrefix("0x") ? label.dropFirst(2) : label
        if label.hasPrefix("0x") { return digits.utf8.allSatisfy { Self.isHexDigit($0) } }
        return digits.utf8.allSatisfy { (0x30...0x39).contains($0) }
    }

    private static func isHexDigit(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte)
    }
}
