internal import Glibc

/// How large the caches are that a trace is run through.
package enum TraceSizes {
    /// The public traces, by the names that papers and other caches print their hit ratios under.
    package static let known: [(format: TraceFormat, file: String, name: String, sizes: [Int])] = [
        (.lirs, "gli", "gli", [500, 1_000, 1_500]),
        (.lirs, "multi1", "multi1", [1_000, 1_500]),
        (.lirs, "multi3", "multi3", [1_000, 2_000, 3_000]),
        (.lirs, "cs", "cs", [1_000]),
        (.lirs, "ps", "ps", [1_000]),
        (.lirs, "loop", "loop", [500]),
        (.lirs, "sprite", "sprite", [500]),
        (.lirs, "2_pools", "2_pools", [450]),
        (.lirs, "zigzag", "zigzag", [500]),
        (.corda, "trace_vaultservice", "corda", [512]),
        (.arc, "OLTP", "OLTP", [250, 500, 1_000, 2_000, 8_192]),
        (.arc, "P3", "P3", [32_768, 65_536, 131_072]),
        (.cache2k, "orm-busy", "orm-busy", [1_024, 4_096]),
        (.cache2k, "orm-night", "orm-night", [1_024, 4_096]),
        (.cache2k, "web07", "web07", [1_024, 4_096]),
    ]

    package static func known(_ trace: TraceFile) -> (name: String, sizes: [Int])? {
        known.first { $0.format == trace.format && $0.file == trace.name }.map { ($0.name, $0.sizes) }
    }

    /// Sizes for a trace nobody knows: 1, 5 and 20 % of all it ever touches, to two digits.
    ///
    /// Reads the trace once. What it touches is counted in a bitmap of 2 MiB (linear counting, Whang and others 1990):
    /// good to a percent up to some 50 million keys, too low above.
    package static func measured(_ trace: TraceFile) throws(TraceError) -> [Int] {
        let bits = UInt64(1) << 24
        var seen = [UInt64](repeating: 0, count: Int(bits / 64))
        var (count, weight) = (0, 0)
        try trace.forEach { access in
            let spread = (access.key &* 0x9E37_79B9_7F4A_7C15) ^ (access.key >> 29)
            let place = Int(((spread ^ (spread >> 32)) &* 0xD6E8_FEB8_6659_FD93) >> 40)
            guard seen[place / 64] & (1 << UInt64(place % 64)) == 0 else { return }
            seen[place / 64] |= 1 << UInt64(place % 64)
            count += 1
            weight += access.weight
        }
        guard count > 0 else { return [] }
        let empty = max(1, Double(bits) - Double(count)) / Double(bits)
        let distinct = -Double(bits) * log(empty) * Double(weight) / Double(count)
        return [0.01, 0.05, 0.2].map { twoDigits(max(10, Int(distinct * $0))) }
    }

    private static func twoDigits(_ number: Int) -> Int {
        var unit = 1
        while number / unit >= 100 { unit *= 10 }
        return number / unit * unit
    }

    /// "512,4K,64M": numbers with an optional K, M or G (powers of 1,024); nil when one is none, or zero.
    package static func parse(_ text: String) -> [Int]? {
        var sizes: [Int] = []
        for word in text.split(whereSeparator: { $0 == "," || $0 == " " }) {
            let units: [Character: Int] = ["K": 1 << 10, "M": 1 << 20, "G": 1 << 30]
            let unit = word.last.flatMap { units[Character($0.uppercased())] }
            guard let number = Int(unit == nil ? word : word.dropLast()), number > 0 else { return nil }
            let (size, tooLarge) = number.multipliedReportingOverflow(by: unit ?? 1)
            guard !tooLarge else { return nil }
            sizes.append(size)
        }
        return sizes.isEmpty ? nil : sizes
    }
}
